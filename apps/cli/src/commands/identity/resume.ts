import type { Command } from 'commander'
import { allScopes } from '../../api/auth-api.js'
import { identityPath } from '../../api/identity-path.js'
import type { OpenSession } from '../../session/session.js'

export function resumeCommand(identity: Command, open: OpenSession): void {
  identity
    .command('resume')
    .description('end a suspension; revoked tokens stay revoked')
    .argument('<identity>')
    .action(async (name: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      await auth(allScopes).send(`${identityPath(name)}/resume`, { method: 'POST' })
      out.show({ identity: name, state: 'active' }, () => `resumed ${name}`)
    })
}
