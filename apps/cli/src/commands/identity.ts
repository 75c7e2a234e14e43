import {
  type ChangeIdentity,
  Identity,
  IdentityPage,
  RegisteredIdentity,
  SuspendedIdentity,
} from '@portcullis/contracts/identities'
import { parseScope } from '@portcullis/contracts/scopes'
import { type Command, Option } from 'commander'
import type { AuthApi } from '../api/auth-api.js'
import { firstRows } from '../api/first-rows.js'
import { identityPath } from '../api/identity-path.js'
import { preview } from '../api/preview-revocation.js'
import { CliError } from '../errors.js'
import { followReceipt, requireConfirmed } from '../follow/follow-receipt.js'
import { each, wholeNumber } from '../options/options.js'
import { identityList, identityText } from '../output/identity.js'
import type { Output } from '../output/output.js'
import { receiptText } from '../output/receipt.js'
import { handOverCode } from '../session/hand-over-code.js'
import type { OpenSession } from '../session/session.js'
import { confirm } from '../terminal/confirm.js'

/** `portcullis identity …`: who may ask for tokens. */
export function identityCommands(program: Command, open: OpenSession): void {
  const identity = program.command('identity').description('who may ask auth for tokens')

  identity
    .command('register')
    .description('register an identity; its registration code is shown this once')
    .argument('<identity>')
    .requiredOption('--scope <scopes>', 'the most that its tokens may do, separated by spaces')
    .option('--ttl <seconds>', 'lifetime of its tokens', wholeNumber(1))
    .option('--label <label>', 'label of all its tokens; may be repeated', each)
    .option('--node <name>', 'name its nodes may have, or its beginning and *; repeatable', each)
    .option('--code-ttl <seconds>', 'its code stops working after so long', wholeNumber(1))
    .option('--out <file>', 'write the code there, readable by you alone')
    .action(async (name: string, options: RegisterOptions, command: Command) => {
      const session = open(command)
      const { ttl, label, node, codeTtl } = options
      const json = {
        identity: name,
        scopes: scopesOf(options.scope),
        ...(ttl === undefined ? {} : { tokenTtlSeconds: ttl }),
        ...(label === undefined ? {} : { labels: label }),
        ...(node === undefined ? {} : { nodes: node }),
        ...(codeTtl === undefined ? {} : { codeTtlSeconds: codeTtl }),
      }
      const auth = session.auth()
      await handOverCode(session, {
        file: options.out,
        replace: false,
        make: () => auth.call(RegisteredIdentity, '/v1/identities', { method: 'POST', json }),
        text: (made) => identityText(session.out, made),
      })
    })

  identity
    .command('list')
    .description('list identities')
    .option('--limit <n>', 'show at most so many', wholeNumber(1), 100)
    .action(async (options: { limit: number }, command: Command) => {
      const { auth, out } = open(command)
      const api = auth()
      const { rows, more } = await firstRows(options.limit, async (limit, cursor) => {
        const query = new URLSearchParams({ limit: `${limit}`, ...(cursor && { cursor }) })
        const { identities, ...rest } = await api.call(IdentityPage, `/v1/identities?${query}`)
        return { rows: identities, ...rest }
      })
      out.show({ identities: rows, more }, () => identityList(out, rows))
      if (more) {
        out.note('there are more; use --limit')
      }
    })

  identity
    .command('show')
    .description('show one identity')
    .argument('<identity>')
    .action(async (name: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const found = await auth().call(Identity, identityPath(name))
      out.show(found, () => identityText(out, found))
    })

  identity
    .command('change')
    .description('change what is named, and nothing else')
    .argument('<identity>')
    .option('--scope <scopes>', 'the most that its tokens may do, in place of what it was')
    .option('--ttl <seconds>', 'lifetime of its tokens', wholeNumber(1))
    .addOption(
      new Option('--default-ttl', 'its tokens live as long as those of all others').conflicts(
        'ttl',
      ),
    )
    .option('--label <label>', 'its labels, in place of those it had; may be repeated', each)
    .addOption(new Option('--no-labels', 'it has no labels').conflicts('label'))
    .option('--node <name>', 'names its nodes may have, in place of those before; repeatable', each)
    .addOption(new Option('--any-node', 'its nodes may have any name').conflicts('node'))
    .addHelpText('after', '\nTokens that are already issued keep their scopes and their labels.')
    .action(async (name: string, options: ChangeOptions, command: Command) => {
      const { auth, out } = open(command)
      const { scope, ttl, defaultTtl, label, labels, node, anyNode } = options
      const json: ChangeIdentity = {
        ...(scope === undefined ? {} : { scopes: [...scopesOf(scope)] }),
        ...(ttl === undefined ? {} : { tokenTtlSeconds: ttl }),
        ...(defaultTtl ? { tokenTtlSeconds: null } : {}),
        ...(label === undefined ? {} : { labels: label }),
        ...(labels === false ? { labels: [] } : {}),
        ...(node === undefined ? {} : { nodes: node }),
        ...(anyNode ? { nodes: null } : {}),
      }
      if (Object.keys(json).length === 0) {
        const names = '--scope, --ttl, --default-ttl, --label, --node'
        throw new CliError('usage', `say what to change: ${names}`)
      }
      const changed = await auth().call(Identity, identityPath(name), { method: 'PATCH', json })
      out.show(changed, () => identityText(out, changed))
    })

  identity
    .command('suspend')
    .description('revoke all its tokens and refuse it new ones, until it is resumed')
    .argument('<identity>')
    .option('--reason <text>', 'kept with the revocation')
    .option('--wait <ms>', 'wait so long for every node to confirm', wholeNumber(0), 0)
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nWith --wait: exit code 1 when a node has not confirmed by then.')
    .action(async (name: string, { wait, yes, ...json }: SuspendOptions, command: Command) => {
      const session = open(command)
      const { out } = session
      const auth = session.auth()
      await confirm(session.shell, {
        yes,
        what: `this suspends ${name} and revokes its tokens`,
        preview: (remarks) => identityPreview(remarks, auth, name),
        question: `Suspend ${name}, and revoke its tokens?`,
      })
      const call = { method: 'POST', json } as const
      const answer = await auth.call(SuspendedIdentity, `${identityPath(name)}/suspend`, call)
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

  identity
    .command('resume')
    .description('let it have tokens again; revoked ones stay revoked')
    .argument('<identity>')
    .action(async (name: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      await auth().order(`${identityPath(name)}/resume`, { method: 'POST' })
      out.show({ identity: name, state: 'active' }, () => `resumed ${name}`)
    })

  identity
    .command('delete')
    .description('delete it and revoke all its tokens')
    .argument('<identity>')
    .option('--yes', 'do not ask')
    .action(async (name: string, { yes }: { yes?: true }, command: Command) => {
      const session = open(command)
      const auth = session.auth()
      await confirm(session.shell, {
        yes,
        what: `this deletes ${name} and revokes its tokens`,
        preview: (remarks) => identityPreview(remarks, auth, name),
        question: `Delete ${name}, and revoke its tokens?`,
      })
      await auth.order(identityPath(name), { method: 'DELETE' })
      session.out.show({ identity: name, deleted: true }, () => `deleted ${name}`)
    })
}

/** What there is to lose. */
async function identityPreview(out: Output, auth: AuthApi, identity: string): Promise<string> {
  const [found, revoked] = await Promise.all([
    auth.call(Identity, identityPath(identity)),
    preview(out, auth, { identity }),
  ])
  return `${identityText(out, found)}\n\n${revoked}`
}

/** @throws CliError when one is none. */
function scopesOf(text: string): readonly string[] {
  const scopes = parseScope(text)
  if (scopes !== undefined) {
    return scopes
  }
  const example = 'such as "subscribe:news:* tokens:issue"'
  throw new CliError('usage', `--scope names a scope that does not exist; write them ${example}`)
}

interface RegisterOptions {
  scope: string
  ttl?: number
  label?: string[]
  node?: string[]
  codeTtl?: number
  out?: string
}

interface ChangeOptions {
  scope?: string
  ttl?: number
  defaultTtl?: true
  label?: string[]
  labels: boolean
  node?: string[]
  anyNode?: true
}

interface SuspendOptions {
  reason?: string
  wait: number
  yes?: true
}
