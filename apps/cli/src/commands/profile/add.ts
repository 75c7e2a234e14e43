import { defined } from '@portcullis/contracts/defined'
import { IdentityName } from '@portcullis/contracts/names'
import { Value } from '@sinclair/typebox/value'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { CliError } from '../../errors.js'
import { authUrl } from '../../installation/auth-url.js'
import { realtimeUrl } from '../../installation/realtime-url.js'
import { profileName, readProfiles, saveProfiles } from '../../installation/stored-profiles.js'
import { absolute, useTls } from '../../installation/tls.js'
import type { Shell } from '../../terminal/shell.js'
import { type CodeOptions, readCodeSource } from './code-source.js'
import { globalOptions } from './global-options.js'

interface AddOptions extends CodeOptions {
  identity: string
  ca?: string
  cert?: string
  key?: string
}

export function addCommand(profile: Command, shell: Shell): void {
  profile
    .command('add')
    .description('store an installation under a name; needs --auth, and --realtime for its nodes')
    .argument('<name>', 'letters, digits, and . _ -', parseName)
    .requiredOption('--identity <identity>', 'your identity there')
    .addOption(new Option('--code-file <file>', 'your registration code is in this file'))
    .addOption(
      new Option('--code-env <variable>', 'your registration code is in this variable').conflicts(
        'codeFile',
      ),
    )
    .addOption(
      new Option(
        '--keep-code',
        'read your registration code now, from the terminal or standard input, and store it in a file',
      ).conflicts(['codeFile', 'codeEnv']),
    )
    .option('--ca <file>', 'PEM file of the certificate authorities to trust')
    .option('--cert <file>', 'PEM file of your client certificate')
    .option('--key <file>', 'PEM file of its private key')
    .option('--replace', 'replace an existing profile of this name')
    .addHelpText(
      'after',
      '\nWithout --code-file, --code-env and --keep-code, every command prompts for the code. The file of\n' +
        'the profiles never contains a code, and a code is never an argument.',
    )
    .action((name: string, options: AddOptions, command: Command) =>
      addProfile(shell, command, name, options),
    )
}

async function addProfile(
  shell: Shell,
  command: Command,
  name: string,
  options: AddOptions,
): Promise<void> {
  const { out, flags } = globalOptions(shell, command)
  const stored = readProfiles(shell)
  if (Object.hasOwn(stored.profiles, name) && !options.replace) {
    throw new CliError('usage', `profile "${name}" already exists; add --replace to replace it`)
  }
  if (flags.auth === undefined) {
    throw new CliError('usage', 'give the URL of auth with --auth <url>')
  }
  const { identity, ca, cert, key } = options
  if (!Value.Check(IdentityName, identity)) {
    throw new CliError('usage', `"${identity}" is not a valid name of an identity`)
  }
  const auth = authUrl(flags.auth)
  const realtime = flags.realtime?.split(',').map((url) => realtimeUrl(url).socket) ?? []
  const registrationCode = await readCodeSource(shell, name, options)
  const given = { ca: ca || undefined, cert: cert || undefined, key: key || undefined }
  const tls = absolute(defined(given), shell.cwd)
  // Throws when the files cannot be used, before the profile is stored.
  useTls(tls)
  const hasTls = Object.keys(tls).length > 0
  const profile = { auth, realtime, identity, registrationCode, ...(hasTls && { tls }) }
  saveProfiles(shell, { ...stored, profiles: { ...stored.profiles, [name]: profile } })
  out.show({ name, ...profile, use: stored.use === name }, () => `added ${name}`)
  if (stored.use !== name) {
    out.note(`to use it by default: portcullis profile use ${name}`)
  }
}

function parseName(text: string): string {
  if (profileName.test(text)) {
    return text
  }
  throw new InvalidArgumentError('Use letters, digits, and . _ -, at most 64.')
}
