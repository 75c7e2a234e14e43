import {
  AddedRegistrationCode,
  Identity,
  IdentityPage,
  parseScope,
  Receipt,
  RegisteredIdentity,
} from '@portcullis/contracts'
import { Type } from '@sinclair/typebox'
import type { Command } from 'commander'
import { CliError } from '../errors.js'
import { followReceipt, requireConfirmed } from '../follow-receipt.js'
import { each, wholeNumber } from '../options.js'
import { codeText, identityList, identityText } from '../output/identity.js'
import { receiptText } from '../output/receipt.js'
import { firstRows } from '../pages.js'
import type { OpenSession } from '../session.js'

const Suspended = Type.Object({ identity: Identity, revocation: Receipt })

/** `portcullis identity …`: who may ask for tokens. */
export function identityCommands(program: Command, open: OpenSession): void {
  const identity = program.command('identity').description('who may ask auth for tokens')

  identity
    .command('register')
    .description('register an identity; shows its registration code, this once')
    .argument('<identity>')
    .requiredOption('--scope <scopes>', 'the most that its tokens may do, separated by spaces')
    .option('--ttl <seconds>', 'lifetime of its tokens', wholeNumber(1))
    .option('--label <label>', 'label of all its tokens; may be repeated', each)
    .action(async (name: string, options: RegisterOptions, command: Command) => {
      const { auth, out } = open(command)
      const scopes = parseScope(options.scope)
      if (scopes === undefined) {
        const example = 'such as "subscribe:news:* tokens:issue"'
        throw new CliError(
          'usage',
          `--scope names a scope that does not exist; write them ${example}`,
        )
      }
      const json = {
        identity: name,
        scopes,
        ...(options.ttl === undefined ? {} : { tokenTtlSeconds: options.ttl }),
        ...(options.label === undefined ? {} : { labels: options.label }),
      }
      const made = await auth().call(RegisteredIdentity, '/v1/identities', { method: 'POST', json })
      out.show(made, () => `${identityText(out, made)}\n\n${codeText(out, made.registrationCode)}`)
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
      if (more) out.note('there are more; use --limit')
    })

  identity
    .command('show')
    .description('show one identity')
    .argument('<identity>')
    .action(async (name: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const found = await auth().call(Identity, pathOf(name))
      out.show(found, () => identityText(out, found))
    })

  identity
    .command('suspend')
    .description('revoke all its tokens and refuse it new ones, until it is resumed')
    .argument('<identity>')
    .option('--reason <text>', 'kept with the revocation')
    .option('--wait <ms>', 'wait so long for every node to confirm', wholeNumber(0), 0)
    .addHelpText('after', '\nWith --wait: exit code 1 when a node has not confirmed by then.')
    .action(async (name: string, { wait, ...json }: SuspendOptions, command: Command) => {
      const session = open(command)
      const { out } = session
      const auth = session.auth()
      const call = { method: 'POST', json } as const
      const answer = await auth.call(Suspended, `${pathOf(name)}/suspend`, call)
      const revocation = await followReceipt(session, auth, answer.revocation, wait)
      out.show({ ...answer, revocation }, () => {
        const { tokens, id } = revocation
        if (wait > 0) return `suspended ${name}\n${receiptText(out, revocation)}`
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
      await auth().order(`${pathOf(name)}/resume`, { method: 'POST' })
      out.show({ identity: name, state: 'active' }, () => `resumed ${name}`)
    })

  identity
    .command('delete')
    .description('delete it and revoke all its tokens')
    .argument('<identity>')
    .action(async (name: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      await auth().order(pathOf(name), { method: 'DELETE' })
      out.show({ identity: name, deleted: true }, () => `deleted ${name}`)
    })

  codeCommands(identity, open)
}

interface SuspendOptions {
  reason?: string
  wait: number
}

interface RegisterOptions {
  scope: string
  ttl?: number
  label?: string[]
}

function codeCommands(identity: Command, open: OpenSession): void {
  const code = identity.command('code').description('registration codes of an identity')

  code
    .command('add')
    .description('one more registration code; shows it, this once')
    .argument('<identity>')
    .option('--ttl <seconds>', 'it stops working after so long', wholeNumber(1))
    .option('--expire-others <seconds>', 'the others stop working after so long', wholeNumber(0))
    .action(async (name: string, options: { ttl?: number; expireOthers?: number }, command) => {
      const { auth, out } = open(command)
      const json = {
        ...(options.ttl === undefined ? {} : { ttlSeconds: options.ttl }),
        ...(options.expireOthers === undefined
          ? {}
          : { expireOthersInSeconds: options.expireOthers }),
      }
      const path = `${pathOf(name)}/registration-codes`
      const added = await auth().call(AddedRegistrationCode, path, { method: 'POST', json })
      out.show(
        added,
        () => `${out.fields([['id', added.id]])}\n${codeText(out, added.registrationCode)}`,
      )
    })

  code
    .command('remove')
    .description('a registration code stops working now; tokens got with it live on')
    .argument('<identity>')
    .argument('<id>', 'as `identity show` lists it')
    .action(async (name: string, id: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const path = `${pathOf(name)}/registration-codes/${encodeURIComponent(id)}`
      await auth().order(path, { method: 'DELETE' })
      out.show({ identity: name, id, removed: true }, () => `removed ${id} of ${name}`)
    })
}

function pathOf(identity: string): string {
  return `/v1/identities/${encodeURIComponent(identity)}`
}
