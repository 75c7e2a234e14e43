import type { Command } from 'commander'
import { allScopes } from '../../api/auth-api.js'
import { identityPath } from '../../api/identity-path.js'
import type { OpenSession } from '../../session/session.js'
import { confirm } from '../../terminal/confirm.js'
import { previewIdentity } from './preview.js'

export function deleteCommand(identity: Command, open: OpenSession): void {
  identity
    .command('delete')
    .description('delete an identity and revoke all its tokens')
    .argument('<identity>')
    .option('--yes', 'do not ask for confirmation')
    .action(async (name: string, { yes }: { yes?: true }, command: Command) => {
      const session = open(command)
      const auth = session.auth(allScopes)
      await confirm(session.shell, {
        yes,
        effect: `this deletes ${name} and revokes its tokens`,
        preview: (remarks) => previewIdentity(remarks, auth, name),
        question: `Delete ${name} and revoke its tokens?`,
      })
      await auth.send(identityPath(name), { method: 'DELETE' })
      session.out.show({ identity: name, deleted: true }, () => `deleted ${name}`)
    })
}
