import { defined } from '@portcullis/contracts/defined'
import { RegisteredIdentity } from '@portcullis/contracts/identities'
import type { Command } from 'commander'
import { allScopes } from '../../api/auth-api.js'
import { collect, wholeNumber } from '../../options/parsers.js'
import { identityText } from '../../output/identity.js'
import { handOverCode } from '../../session/hand-over-code.js'
import type { OpenSession } from '../../session/session.js'
import { parseScopes } from './parse-scopes.js'

interface RegisterOptions {
  scope: string
  ttl?: number
  label?: string[]
  node?: string[]
  codeTtl?: number
  out?: string
}

export function registerCommand(identity: Command, open: OpenSession): void {
  identity
    .command('register')
    .description('register an identity and show its registration code, once')
    .argument('<identity>')
    .requiredOption('--scope <scopes>', 'scopes that its tokens may have, separated by spaces')
    .option('--ttl <seconds>', 'lifetime of its tokens', wholeNumber(1))
    .option('--label <label>', 'label of all its tokens; repeatable', collect)
    .option('--node <name>', 'node name it may use, or a prefix and *; repeatable', collect)
    .option('--code-ttl <seconds>', 'lifetime of its registration code', wholeNumber(1))
    .option('--out <file>', 'write the registration code to this file, readable by you alone')
    .action(async (name: string, options: RegisterOptions, command: Command) => {
      const session = open(command)
      const { ttl, label, node, codeTtl } = options
      const json = {
        identity: name,
        scopes: parseScopes(options.scope),
        ...defined({
          tokenTtlSeconds: ttl,
          labels: label,
          nodes: node,
          codeTtlSeconds: codeTtl,
        }),
      }
      const auth = session.auth(allScopes)
      await handOverCode(session, {
        file: options.out,
        replace: false,
        create: () => auth.call(RegisteredIdentity, '/v1/identities', { method: 'POST', json }),
        text: (created) => identityText(session.out, created),
      })
    })
}
