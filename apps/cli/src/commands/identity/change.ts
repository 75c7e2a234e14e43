import { defined } from '@portcullis/contracts/defined'
import { type ChangeIdentity, Identity } from '@portcullis/contracts/identities'
import { type Command, Option } from 'commander'
import { allScopes } from '../../api/auth-api.js'
import { identityPath } from '../../api/identity-path.js'
import { CliError } from '../../errors.js'
import { collect, wholeNumber } from '../../options/parsers.js'
import { identityText } from '../../output/identity.js'
import type { OpenSession } from '../../session/session.js'
import { parseScopes } from './parse-scopes.js'

interface ChangeOptions {
  scope?: string
  ttl?: number
  defaultTtl?: true
  label?: string[]
  /** False with `--no-labels`. */
  labels: boolean
  node?: string[]
  anyNode?: true
}

export function changeCommand(identity: Command, open: OpenSession): void {
  identity
    .command('change')
    .description('change the given settings of an identity')
    .argument('<identity>')
    .option('--scope <scopes>', 'scopes that its tokens may have; replaces the old scopes')
    .option('--ttl <seconds>', 'lifetime of its tokens', wholeNumber(1))
    .addOption(
      new Option('--default-ttl', 'its tokens have the default lifetime of auth').conflicts('ttl'),
    )
    .option('--label <label>', 'label of its tokens, replaces the old labels; repeatable', collect)
    .addOption(new Option('--no-labels', 'remove all its labels').conflicts('label'))
    .option('--node <name>', 'node name it may use, replaces the old names; repeatable', collect)
    .addOption(new Option('--any-node', 'it may use any node name').conflicts('node'))
    .addHelpText('after', '\nTokens that are already issued keep their scopes and labels.')
    .action(async (name: string, options: ChangeOptions, command: Command) => {
      const { auth, out } = open(command)
      const json = changes(options)
      if (Object.keys(json).length === 0) {
        const names = '--scope, --ttl, --default-ttl, --label, --no-labels, --node or --any-node'
        throw new CliError('usage', `nothing to change; give ${names}`)
      }
      const changed = await auth(allScopes).call(Identity, identityPath(name), {
        method: 'PATCH',
        json,
      })
      out.show(changed, () => identityText(out, changed))
    })
}

function changes(options: ChangeOptions): ChangeIdentity {
  const { scope, ttl, defaultTtl, label, labels, node, anyNode } = options
  return defined({
    scopes: scope === undefined ? undefined : [...parseScopes(scope)],
    tokenTtlSeconds: defaultTtl ? null : ttl,
    labels: labels === false ? [] : label,
    nodes: anyNode ? null : node,
  })
}
