import { Identity } from '@portcullis/contracts/identities'
import type { Command } from 'commander'
import { identityPath } from '../../api/identity-path.js'
import { identityText } from '../../output/identity.js'
import type { OpenSession } from '../../session/session.js'

export function showCommand(identity: Command, open: OpenSession): void {
  identity
    .command('show')
    .description('show an identity')
    .argument('<identity>')
    .action(async (name: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const found = await auth({ scope: 'identities:read' }).call(Identity, identityPath(name))
      out.show(found, () => identityText(out, found))
    })
}
