import { defined } from '@portcullis/contracts/defined'
import { AddedRegistrationCode, Identity } from '@portcullis/contracts/identities'
import type { Command } from 'commander'
import { allScopes } from '../api/auth-api.js'
import { identityPath } from '../api/identity-path.js'
import { CliError } from '../errors.js'
import { wholeNumber } from '../options/parsers.js'
import { codeList } from '../output/identity.js'
import { handOverCode } from '../session/hand-over-code.js'
import type { OpenSession, Session } from '../session/session.js'

interface AddOptions {
  ttl?: number
  out?: string
}

interface RotateOptions extends AddOptions {
  overlap: number
}

/** `portcullis code …` */
export function codeCommands(program: Command, open: OpenSession): void {
  const code = program
    .command('code')
    .description('manage the registration codes with which an identity gets its tokens')

  code
    .command('add')
    .description('add a registration code; the others stay valid')
    .argument('<identity>')
    .option('--ttl <seconds>', 'lifetime of the code', wholeNumber(1))
    .option('--out <file>', 'write the code to this file, readable by you alone')
    .action(async (name: string, { ttl, out }: AddOptions, command: Command) => {
      const json = defined({ ttlSeconds: ttl })
      await addCode(open(command), name, json, { file: out, replace: false })
    })

  code
    .command('list')
    .description('list ids and times of registration codes; never shows a code')
    .argument('<identity>')
    .action(async (name: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const { identity, registrationCodes } = await auth({ scope: 'identities:read' }).call(
        Identity,
        identityPath(name),
      )
      out.show({ identity, registrationCodes }, () => codeList(out, registrationCodes))
    })

  code
    .command('rotate')
    .description('add a registration code and let all others expire')
    .argument('<identity>')
    .option('--overlap <seconds>', 'the others stay valid for this long', wholeNumber(0), 3600)
    .option('--ttl <seconds>', 'lifetime of the new code', wholeNumber(1))
    .option('--out <file>', 'write the code to this file, readable by you alone; replaces the file')
    .addHelpText('after', '\nTokens issued for the old codes stay valid; see portcullis revoke.')
    .action(async (name: string, { overlap, ttl, out }: RotateOptions, command: Command) => {
      const json = { expireOthersInSeconds: overlap, ...defined({ ttlSeconds: ttl }) }
      await addCode(open(command), name, json, { file: out, replace: true })
    })

  code
    .command('remove')
    .description('remove a registration code now; tokens issued for it stay valid')
    .argument('<identity>')
    .argument('<id>', 'id of the code, from `code list`', codeId)
    .action(async (name: string, id: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const path = `${identityPath(name)}/registration-codes/${encodeURIComponent(id)}`
      await auth(allScopes).send(path, { method: 'DELETE' })
      out.show({ identity: name, id, removed: true }, () => `removed ${id} of ${name}`)
    })
}

async function addCode(
  session: Session,
  name: string,
  json: object,
  place: { file: string | undefined; replace: boolean },
): Promise<void> {
  const auth = session.auth(allScopes)
  const path = `${identityPath(name)}/registration-codes`
  await handOverCode(session, {
    ...place,
    create: () => auth.call(AddedRegistrationCode, path, { method: 'POST', json }),
    text: ({ id, expiresAt }) =>
      session.out.fields([
        ['identity', name],
        ['id', id],
        ['ends', expiresAt === undefined ? undefined : new Date(expiresAt).toISOString()],
      ]),
  })
}

/** Refuses a code given instead of its id: the id travels in a URL, which proxies log. */
function codeId(text: string): string {
  if (text.length < 32) {
    return text
  }
  throw new CliError('usage', 'this is too long for the id of a code; `code list` shows the ids')
}
