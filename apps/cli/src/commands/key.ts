import { RevokedKey, SigningKeyList } from '@portcullis/contracts/keys'
import type { Command } from 'commander'
import { previewRevocation } from '../api/preview-revocation.js'
import { followReceipt, requireConfirmed } from '../follow/follow-receipt.js'
import { withReceiptOptions } from '../options/receipt-options.js'
import { keyList } from '../output/key.js'
import { receiptText } from '../output/receipt.js'
import type { OpenSession } from '../session/session.js'
import { confirm } from '../terminal/confirm.js'

interface RevokeOptions {
  reason?: string
  yes?: true
  wait: number
  replicas?: number
}

/** `portcullis key …` */
export function keyCommands(program: Command, open: OpenSession): void {
  const key = program.command('key').description('manage the keys that sign tokens')

  key
    .command('list')
    .description('list the next, current and previous keys; never shows a private key')
    .action(async (_options: object, command: Command) => {
      const { auth, out } = open(command)
      const { keys } = await auth({ scope: 'keys:write' }).call(SigningKeyList, '/v1/keys')
      out.show({ keys }, () => keyList(out, keys))
    })

  key
    .command('rotate')
    .description('sign new tokens with the next key; existing tokens stay valid')
    .addHelpText('after', '\nIf others may know a key, revoke it instead.')
    .action(async (_options: object, command: Command) => {
      const { auth, out } = open(command)
      const request = { method: 'POST', json: {} } as const
      const { keys } = await auth({ scope: 'keys:write' }).call(
        SigningKeyList,
        '/v1/keys/rotate',
        request,
      )
      out.show({ keys }, () => keyList(out, keys))
    })

  revokeKeyCommand(key, open)
}

function revokeKeyCommand(key: Command, open: OpenSession): void {
  withReceiptOptions(
    key
      .command('revoke')
      .description('remove a compromised key and revoke every token')
      .argument('<kid>', 'id of the key, from `key list`')
      .option('--reason <text>', 'reason, stored with the revocation')
      .option('--yes', 'do not ask for confirmation'),
  )
    .addHelpText(
      'after',
      '\nTokens signed with other keys are revoked too: the holder of one key can forge any of them.\n' +
        'Exit code 1 when a node has not confirmed within --wait, or fewer replicas than requested\n' +
        'have the revocation.',
    )
    .action(async (kid: string, options: RevokeOptions, command: Command) => {
      const session = open(command)
      const { out } = session
      const { yes, wait, ...json } = options
      // Reading the receipt and counting the tokens needs more than the revocation itself.
      const scope = yes ? 'keys:write tokens:read' : 'keys:write tokens:read tokens:revoke'
      const auth = session.auth({ scope, orAll: true })
      await confirm(session.shell, {
        yes,
        effect: 'this removes the key and revokes every token',
        preview: (remarks) => previewRevocation(remarks, auth, { all: true }),
        question: `Remove the key ${kid} and revoke every token?`,
      })
      const path = `/v1/keys/${encodeURIComponent(kid)}/revoke`
      const answer = await auth.call(RevokedKey, path, { method: 'POST', json })
      const revocation = await followReceipt(session, auth, answer.revocation, wait)
      out.show({ ...answer, revocation }, () => {
        return `${receiptText(out, revocation)}\n\n${keyList(out, answer.keys)}`
      })
      requireConfirmed(revocation, wait)
    })
}
