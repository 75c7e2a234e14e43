import { Receipt, ReceiptPage } from '@portcullis/contracts/revocations'
import type { Command } from 'commander'
import { firstRows } from '../api/first-rows.js'
import { followReceipt, requireConfirmed } from '../follow/follow-receipt.js'
import { wholeNumber } from '../options/options.js'
import { receiptList, receiptText } from '../output/receipt.js'
import type { OpenSession } from '../session/session.js'

/** `portcullis revocation …`: receipts of what was revoked. */
export function revocationCommands(program: Command, open: OpenSession): void {
  const revocation = program.command('revocation').description('receipts of what was revoked')

  revocation
    .command('show')
    .description('a receipt as it stands')
    .argument('<id>', "the receipt's id")
    .option('--wait <ms>', 'wait so long for every node to confirm', wholeNumber(0), 0)
    .addHelpText('after', '\nWith --wait: exit code 1 when a node has not confirmed by then.')
    .action(async (id: string, { wait }: { wait: number }, command: Command) => {
      const session = open(command)
      const { out } = session
      const auth = session.auth()
      const found = await auth.call(Receipt, `/v1/revocations/${encodeURIComponent(id)}`)
      const receipt = await followReceipt(session, auth, found, wait)
      out.show(receipt, () => receiptText(out, receipt))
      if (wait > 0) {
        requireConfirmed(receipt, wait)
      }
    })

  revocation
    .command('list')
    .description('receipts, newest first')
    .option('--limit <n>', 'show at most so many', wholeNumber(1), 100)
    .action(async (options: { limit: number }, command: Command) => {
      const { auth, out } = open(command)
      const api = auth()
      const { rows, more } = await firstRows(options.limit, async (limit, cursor) => {
        const query = new URLSearchParams({ limit: `${limit}`, ...(cursor && { cursor }) })
        const { revocations, ...rest } = await api.call(ReceiptPage, `/v1/revocations?${query}`)
        return { rows: revocations, ...rest }
      })
      out.show({ revocations: rows, more }, () => receiptList(out, rows))
      if (more) {
        out.note('there are more; use --limit')
      }
    })
}
