import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { IdentityName } from '@portcullis/contracts/names'
import { Value } from '@sinclair/typebox/value'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { CliError } from '../errors.js'
import { openOwnFile } from '../files/own-file.js'
import { codeSourceText, type StoredCodeSource } from '../installation/code-source.js'
import { authUrl, loadProfile, type ProfileFlags, places } from '../installation/profile.js'
import { realtimeUrl } from '../installation/realtime-url.js'
import {
  configFile,
  keptCodeFile,
  makeConfigDir,
  profileName,
  readProfiles,
  saveProfiles,
  storedProfile,
} from '../installation/stored-profiles.js'
import { absolute, useTls } from '../installation/tls.js'
import { type Output, output } from '../output/output.js'
import { profileList, profileText } from '../output/profile.js'
import { askSecret } from '../terminal/ask-secret.js'
import { isInteractive } from '../terminal/is-interactive.js'
import type { Shell } from '../terminal/shell.js'

/** `portcullis profile …`: installations that are kept by a name. */
export function profileCommands(program: Command, shell: Shell): void {
  const profile = program.command('profile').description('installations, and who you are there')

  profile
    .command('add')
    .description('keep an installation by a name; --auth and --realtime say where it is')
    .argument('<name>', 'letters, digits, and . _ -', nameOf)
    .requiredOption('--identity <identity>', 'who you are there')
    .addOption(new Option('--code-file <file>', 'your registration code is in this file'))
    .addOption(
      new Option('--code-env <variable>', 'your registration code is in this variable').conflicts(
        'codeFile',
      ),
    )
    .addOption(
      new Option(
        '--keep-code',
        'take your registration code now, from the terminal or standard input, and keep it in a file of its own',
      ).conflicts(['codeFile', 'codeEnv']),
    )
    .option('--ca <file>', 'trust what these authorities have signed (PEM)')
    .option('--cert <file>', 'show this certificate to services that ask for one (PEM)')
    .option('--key <file>', 'its private key (PEM)')
    .option('--replace', 'in place of the profile of that name')
    .addHelpText(
      'after',
      '\nWith neither --code-file, --code-env nor --keep-code the code is asked for on the terminal,\n' +
        'each time that it is needed. It is never in the file of the profiles, nor an argument.',
    )
    .action(async (name: string, options: AddOptions, command: Command) => {
      const { out, flags } = opened(shell, command)
      const stored = readProfiles(shell)
      if (Object.hasOwn(stored.profiles, name) && !options.replace) {
        throw new CliError('usage', `there is a profile "${name}" already; --replace replaces it`)
      }
      if (flags.auth === undefined) {
        throw new CliError('usage', 'say where auth is, with --auth <url>')
      }
      const { identity } = options
      if (!Value.Check(IdentityName, identity)) {
        throw new CliError('usage', `"${identity}" cannot be the name of an identity`)
      }
      const auth = authUrl(flags.auth)
      const realtime = flags.realtime?.split(',').map((url) => realtimeUrl(url).socket) ?? []
      const registrationCode = await codeSource(shell, name, options)
      const { ca, cert, key } = options
      const tls = absolute(
        { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
        shell.cwd,
      )
      // What cannot be used is not kept.
      useTls(tls)
      const some = Object.keys(tls).length > 0
      const kept = { auth, realtime, identity, registrationCode, ...(some && { tls }) }
      saveProfiles(shell, { ...stored, profiles: { ...stored.profiles, [name]: kept } })
      out.show({ name, ...kept, use: stored.use === name }, () => `added ${name}`)
      if (stored.use !== name) {
        out.note(`portcullis profile use ${name} takes it from now on`)
      }
    })

  profile
    .command('list')
    .description('the profiles that are kept')
    .action((_options: object, command: Command) => {
      const { out } = opened(shell, command)
      const { use, profiles } = readProfiles(shell)
      const rows = Object.entries(profiles).map(([name, kept]) => ({
        name,
        ...kept,
        use: name === use,
      }))
      out.show({ profiles: rows }, () => profileList(out, rows))
    })

  profile
    .command('show')
    .description('which installation is used here, and why')
    .argument('[profile]', 'this profile instead; the same as --profile')
    .action((name: string | undefined, _options: object, command: Command) => {
      const { out, flags } = opened(shell, command)
      const chosen = name === undefined ? flags : { ...flags, profile: name }
      const { source, auth, realtime, caller, tls } = loadProfile(shell, chosen)
      const order = places(shell, chosen).map(({ name, absent, find }) => {
        const found = find()?.source
        return { place: name, ...(found === undefined ? { absent } : { found }) }
      })
      const shown = {
        source,
        auth,
        realtime: realtime.map(({ socket }) => socket),
        ...(caller && { identity: caller.identity, code: codeSourceText(caller.code) }),
        ...(Object.keys(tls).length > 0 && { tls }),
        file: configFile(shell),
        order,
      }
      out.show(shown, () => profileText(out, shown))
    })

  profile
    .command('use')
    .description('take this profile wherever nothing else is named')
    .argument('<profile>')
    .action((name: string, _options: object, command: Command) => {
      const { out } = opened(shell, command)
      const stored = readProfiles(shell)
      storedProfile(stored, name)
      saveProfiles(shell, { ...stored, use: name })
      out.show({ use: name }, () => `using ${name}`)
      const { source } = loadProfile(shell, {})
      if (!source.endsWith('(portcullis profile use)')) {
        out.note(`but here ${source} goes before it`)
      }
    })

  profile
    .command('remove')
    .description('forget a profile, and the code that --keep-code kept for it')
    .argument('<profile>')
    .action((name: string, _options: object, command: Command) => {
      const { out } = opened(shell, command)
      const stored = readProfiles(shell)
      const { registrationCode } = storedProfile(stored, name)
      const { [name]: _removed, ...profiles } = stored.profiles
      const { use } = stored
      saveProfiles(shell, { ...(use === undefined || use === name ? {} : { use }), profiles })
      const kept = keptCodeFile(shell, name)
      if ('file' in registrationCode && registrationCode.file === kept) {
        rmSync(kept, { force: true })
      }
      out.show({ name, removed: true }, () => `removed ${name}`)
    })
}

interface AddOptions {
  identity: string
  codeFile?: string
  codeEnv?: string
  keepCode?: true
  ca?: string
  cert?: string
  key?: string
  replace?: true
}

function opened(shell: Shell, command: Command): { out: Output; flags: ProfileFlags } {
  const { json = false, ...flags } = command.optsWithGlobals<ProfileFlags & { json?: boolean }>()
  return { out: output(shell, shell.env, json), flags }
}

async function codeSource(
  shell: Shell,
  name: string,
  { codeFile, codeEnv, keepCode, replace }: AddOptions,
): Promise<StoredCodeSource> {
  if (codeFile !== undefined) {
    const file = resolve(shell.cwd, codeFile)
    if (existsSync(file)) {
      return { file }
    }
    // A code that was taken for a file's name must neither be shown nor kept.
    throw new CliError('usage', '--code-file takes the name of a file that is there, never a code')
  }
  if (codeEnv !== undefined) {
    if (/^[A-Za-z_]\w*$/.test(codeEnv)) {
      return { environment: codeEnv }
    }
    // A code that was taken for a variable's name must not be shown.
    throw new CliError('usage', '--code-env takes the name of a variable, never a code')
  }
  if (!keepCode) {
    return { prompt: true }
  }
  const code = isInteractive(shell)
    ? await askSecret(shell, 'registration code: ')
    : (await text(shell.stdin)).trim()
  if (!/^\S{1,4096}$/.test(code)) {
    throw new CliError(
      'failed',
      'standard input does not hold a registration code, and nothing else',
    )
  }
  makeConfigDir(shell)
  const file = keptCodeFile(shell, name)
  const kept = openOwnFile(file, { replace: replace === true })
  try {
    kept.write(`${code}\n`)
  } finally {
    kept.discard()
  }
  return { file }
}

function nameOf(text: string): string {
  if (profileName.test(text)) {
    return text
  }
  throw new InvalidArgumentError('Use letters, digits, and . _ -, at most 64.')
}
