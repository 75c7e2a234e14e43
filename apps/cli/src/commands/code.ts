import { AddedRegistrationCode, Identity } from '@portcullis/contracts/identities'
import type { Command } from 'commander'
import { identityPath } from '../api/identity-path.js'
import { CliError } from '../errors.js'
import { wholeNumber } from '../options/options.js'
import { codeList } from '../output/identity.js'
import { handOverCode } from '../session/hand-over-code.js'
import type { OpenSession, Session } from '../session/session.js'

/** `portcullis code …`: what an identity shows auth to get tokens. */
export function codeCommands(program: Command, open: OpenSession): void {
  const code = program.command('code').description('registration codes of an identity')

  code
    .command('add')
    .description('one more registration code, beside the others')
    .argument('<identity>')
    .option('--ttl <seconds>', 'it stops working after so long', wholeNumber(1))
    .option('--out <file>', 'write it there, readable by you alone')
    .action(async (name: string, { ttl, out }: AddOptions, command: Command) => {
      const json = ttl === undefined ? {} : { ttlSeconds: ttl }
      await add(open(command), name, json, { file: out, replace: false })
    })

  code
    .command('list')
    .description('registration codes: their ids and times, never the codes')
    .argument('<identity>')
    .action(async (name: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const { identity, registrationCodes } = await auth().call(Identity, identityPath(name))
      out.show({ identity, registrationCodes }, () => codeList(out, registrationCodes))
    })

  code
    .command('rotate')
    .description('a new registration code, and an end for all others')
    .argument('<identity>')
    .option('--overlap <seconds>', 'the others work for so long', wholeNumber(0), 3600)
    .option('--ttl <seconds>', 'the new one stops working after so long', wholeNumber(1))
    .option('--out <file>', 'write it there, readable by you alone, in place of what is there')
    .addHelpText('after', '\nTokens that were got with the others live on; see portcullis revoke.')
    .action(async (name: string, options: RotateOptions, command: Command) => {
      const { overlap, ttl, out } = options
      const json = {
        expireOthersInSeconds: overlap,
        ...(ttl === undefined ? {} : { ttlSeconds: ttl }),
      }
      await add(open(command), name, json, { file: out, replace: true })
    })

  code
    .command('remove')
    .description('a registration code stops working now; tokens got with it live on')
    .argument('<identity>')
    .argument('<id>', 'as `code list` has it', idOf)
    .action(async (name: string, id: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const path = `${identityPath(name)}/registration-codes/${encodeURIComponent(id)}`
      await auth().order(path, { method: 'DELETE' })
      out.show({ identity: name, id, removed: true }, () => `removed ${id} of ${name}`)
    })
}

interface AddOptions {
  ttl?: number
  out?: string
}

interface RotateOptions extends AddOptions {
  overlap: number
}

async function add(
  session: Session,
  name: string,
  json: object,
  place: { file: string | undefined; replace: boolean },
): Promise<void> {
  const auth = session.auth()
  const path = `${identityPath(name)}/registration-codes`
  await handOverCode(session, {
    ...place,
    make: () => auth.call(AddedRegistrationCode, path, { method: 'POST', json }),
    text: ({ id, expiresAt }) =>
      session.out.fields([
        ['identity', name],
        ['id', id],
        ['ends', expiresAt === undefined ? undefined : new Date(expiresAt).toISOString()],
      ]),
  })
}

/** A code in place of its id would travel in a URL, and be logged on its way. */
function idOf(text: string): string {
  if (text.length < 32) {
    return text
  }
  throw new CliError('usage', 'that is too long for the id of a code; `code list` shows the ids')
}
