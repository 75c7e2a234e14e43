import { SuspendedIdentity } from '@portcullis/contracts/identities'
import type { Command } from 'commander'
import { allScopes } from '../../api/auth-api.js'
import { identityPath } from '../../api/identity-path.js'
import { followReceipt, requireConfirmed } from '../../follow/follow-receipt.js'
import { wholeNumber } from '../../options/parsers.js'
import { receiptText } from '../../output/receipt.js'
import type { OpenSession } from '../../session/session.js'
import { confirm } from '../../terminal/confirm.js'
import { previewIdentity } from './preview.js'

interface SuspendOptions {
  reason?: string
  wait: number
  yes?: true
}

export function suspendCommand(identity: Command, open: OpenSession): void {
  identity
    .command('suspend')
    .description('revoke all tokens of an identity and refuse it new ones until it is resumed')
    .argument('<identity>')
    .option('--reason <text>', 'reason, stored with the revocation')
    .option('--wait <ms>', 'wait up to this long for every node to confirm', wholeNumber(0), 0)
    .option('--yes', 'do not ask for confirmation')
    .addHelpText('after', '\nWith --wait, exit code 1 when a node has not confirmed in time.')
    .action(async (name: string, { wait, yes, ...json }: SuspendOptions, command: Command) => {
      const session = open(command)
      const { out } = session
      const auth = session.auth(allScopes)
      await confirm(session.shell, {
        yes,
        effect: `this suspends ${name} and revokes its tokens`,
        preview: (remarks) => previewIdentity(remarks, auth, name),
        question: `Suspend ${name} and revoke its tokens?`,
      })
      const options = { method: 'POST', json } as const
      const answer = await auth.call(SuspendedIdentity, `${identityPath(name)}/suspend`, options)
      const revocation = await followReceipt(session, auth, answer.revocation, wait)
      out.show({ ...answer, revocation }, () => {
        const { tokens, id } = revocation
        if (wait > 0) {
          return `suspended ${name}\n${receiptText(out, revocation)}`
        }
        return `suspended ${name}; revoked ${tokens} of its tokens, receipt ${id}`
      })
      requireConfirmed(revocation, wait)
    })
}
