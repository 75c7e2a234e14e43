import { Receipt, ReceiptPage } from '@portcullis/contracts/revocations'
import type { Command } from 'commander'
import type { TokenNeed } from '../api/auth-api.js'
import { firstRows, pageQuery } from '../api/first-rows.js'
import { followReceipt, requireConfirmed } from '../follow/follow-receipt.js'
import { wholeNumber } from '../options/parsers.js'
import { receiptList, receiptText } from '../output/receipt.js'
import type { OpenSession } from '../session/session.js'

/** Receipts may be read with `tokens:read` or `tokens:revoke`. */
const receiptNeed: TokenNeed = { scope: 'tokens:read', orAll: true }

/** `portcullis revocation …` */
export function revocationCommands(program: Command, open: OpenSession): void {
  const revocation = program.command('revocation').description('show receipts of revocations')

  revocation
    .command('show')
    .description('show a receipt')
    .argument('<id>', 'id of the receipt')
    .option('--wait <ms>', 'wait up to this long for every node to confirm', wholeNumber(0), 0)
    .addHelpText('after', '\nWith --wait, exit code 1 when a node has not confirmed in time.')
    .action(async (id: string, { wait }: { wait: number }, command: Command) => {
      const session = open(command)
      const { out } = session
      const auth = session.auth(receiptNeed)
      const found = await auth.call(Receipt, `/v1/revocations/${encodeURIComponent(id)}`)
      const receipt = await followReceipt(session, auth, found, wait)
      out.show(receipt, () => receiptText(out, receipt))
      if (wait > 0) {
        requireConfirmed(receipt, wait)
      }
    })

  revocation
    .command('list')
    .description('list receipts, newest first')
    .option('--limit <n>', 'show at most this many', wholeNumber(1), 100)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const { auth, out } = open(command)
      const api = auth(receiptNeed)
      const { rows, more } = await firstRows(limit, async (size, cursor) => {
        const path = `/v1/revocations?${pageQuery({}, size, cursor)}`
        const { revocations, ...rest } = await api.call(ReceiptPage, path)
        return { rows: revocations, ...rest }
      })
      out.show({ revocations: rows, more }, () => receiptList(out, rows))
      out.noteMore(more)
    })
}
