import { RevokedKey, SigningKeyList } from '@portcullis/contracts/keys'
import type { Command } from 'commander'
import { preview } from '../api/preview-revocation.js'
import { followReceipt, requireConfirmed } from '../follow/follow-receipt.js'
import { withReceiptOptions } from '../options/options.js'
import { keyList } from '../output/key.js'
import { receiptText } from '../output/receipt.js'
import type { OpenSession } from '../session/session.js'
import { confirm } from '../terminal/confirm.js'

/** `portcullis key …`: what auth signs tokens with. */
export function keyCommands(program: Command, open: OpenSession): void {
  const key = program.command('key').description('keys that auth signs tokens with')

  key
    .command('list')
    .description('next, current and previous keys; never a private part')
    .action(async (_options: object, command: Command) => {
      const { auth, out } = open(command)
      const { keys } = await auth().call(SigningKeyList, '/v1/keys')
      out.show({ keys }, () => keyList(out, keys))
    })

  key
    .command('rotate')
    .description('the next key signs from now on; every token goes on')
    .addHelpText('after', '\nA key that somebody else may have is not rotated but revoked.')
    .action(async (_options: object, command: Command) => {
      const { auth, out } = open(command)
      const call = { method: 'POST', json: {} } as const
      const { keys } = await auth().call(SigningKeyList, '/v1/keys/rotate', call)
      out.show({ keys }, () => keyList(out, keys))
    })

  withReceiptOptions(
    key
      .command('revoke')
      .description('a key is compromised: remove it, and revoke every token')
      .argument('<kid>', 'as `key list` has it')
      .option('--reason <text>', 'kept with the revocation')
      .option('--yes', 'do not ask'),
  )
    .addHelpText(
      'after',
      '\nEvery token is revoked, whichever key signed it: who has a key can sign for any of them.\n' +
        'Exit code 1 when a node has not confirmed within --wait, or fewer replicas than asked have it.',
    )
    .action(async (kid: string, options: RevokeOptions, command: Command) => {
      const session = open(command)
      const { out } = session
      const { yes, wait, ...json } = options
      const auth = session.auth()
      await confirm(session.shell, {
        yes,
        what: 'this removes the key and revokes every token',
        preview: (remarks) => preview(remarks, auth, { all: true }),
        question: `Remove the key ${kid}, and revoke every token?`,
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

interface RevokeOptions {
  reason?: string
  yes?: true
  wait: number
  replicas?: number
}
