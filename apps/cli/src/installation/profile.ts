import { CliError } from '../errors.js'
import type { Environment, Shell } from '../terminal/shell.js'
import type { CodeSource } from './code-source.js'
import { findLocalRun } from './local-run.js'
import { type RealtimeUrl, realtimeUrl } from './realtime-url.js'
import { readProfiles, type StoredProfile, storedProfile } from './stored-profiles.js'
import type { TlsFiles } from './tls.js'

/** Who speaks to auth, and where its registration code is. */
export interface Caller {
  identity: string
  code: CodeSource
}

/** Which installation to speak to, and as whom. */
export interface Profile {
  /** Where this was found, in words. */
  source: string
  /** Files that hold its registration code. */
  secretFiles: readonly string[]
  auth: string
  realtime: readonly RealtimeUrl[]
  /** Absent when nobody said who the caller is. */
  caller: Caller | undefined
  tls: TlsFiles
  /** What was left aside on the way, for the caller to know. */
  notes: readonly string[]
}

/** Flags of the command line; they win over everything else. */
export interface ProfileFlags {
  profile?: string
  auth?: string
  realtime?: string
}

/** Where an installation may be named, and what names one there. */
export interface Place {
  name: string
  /** How to say that it names none. */
  absent: string
  find(): Found | undefined
}

interface Found {
  source: string
  auth: string
  realtime: readonly string[]
  caller: Caller | undefined
  /** Absent where the environment says it. */
  tls?: TlsFiles
}

type Surroundings = Pick<Shell, 'cwd' | 'env' | 'configDir'>

const localRun = '.portcullis/local.json'
const environment = 'PORTCULLIS_AUTH_URL, PORTCULLIS_REALTIME_URL, PORTCULLIS_IDENTITY'
const defaults = { auth: 'http://127.0.0.1:4000', realtime: ['ws://127.0.0.1:8000'] }

/**
 * The places that may name an installation, in the order in which they count. The first that names
 * one is taken whole; places are not mixed, so that no registration code goes to another's auth.
 *
 * @throws CliError from each `find`, when what is there cannot be used.
 */
export function places(shell: Surroundings, flags: ProfileFlags): readonly Place[] {
  const { env } = shell
  const stored = (name: string | undefined, how: string) =>
    name === undefined ? undefined : fromStored(name, how, storedProfile(readProfiles(shell), name))
  return [
    {
      name: '--profile',
      absent: 'not given',
      find: () => stored(flags.profile, '--profile'),
    },
    {
      name: 'PORTCULLIS_PROFILE',
      absent: 'not set',
      find: () => stored(set(env, 'PROFILE'), 'PORTCULLIS_PROFILE'),
    },
    {
      name: localRun,
      absent: 'not in this directory or above it',
      find() {
        const local = findLocalRun(shell.cwd)
        if (local === undefined) {
          return undefined
        }
        const { auth, realtime, admin } = local.run
        const code = { value: admin.registrationCode }
        return { source: local.file, auth, realtime, caller: { identity: admin.identity, code } }
      },
    },
    {
      name: environment,
      absent: 'not set',
      find() {
        if (choosing(env).length === 0) {
          return undefined
        }
        return {
          source: 'the environment',
          auth: set(env, 'AUTH_URL') ?? defaults.auth,
          realtime: set(env, 'REALTIME_URL')?.split(',') ?? defaults.realtime,
          caller: fromEnvironment(env),
        }
      },
    },
    {
      name: 'portcullis profile use',
      absent: 'no profile is in use',
      find: () => stored(readProfiles(shell).use, 'portcullis profile use'),
    },
    {
      name: 'defaults',
      absent: '',
      find: () => ({ ...defaults, source: 'defaults', caller: undefined }),
    },
  ]
}

/**
 * The installation that the first of the `places` names, with what flags change of it.
 *
 * @throws CliError when a file or a URL cannot be used, or there is no such profile.
 */
export function loadProfile(shell: Surroundings, flags: ProfileFlags): Profile {
  const { place, found } = firstOf(places(shell, flags))
  const { source } = found
  const auth = authUrl(flags.auth ?? found.auth)
  const realtime = (flags.realtime?.split(',') ?? found.realtime).map(realtimeUrl)
  // A registration code goes to the auth that it was kept for, never to one that a flag names.
  const own = auth === authUrl(found.auth)
  const caller = own ? found.caller : fromEnvironment(shell.env)
  const notes = own ? setAside(shell, place, source) : []
  const tls = found.tls ?? tlsFromEnvironment(shell.env)
  return { source, secretFiles: secretFiles(caller, source), auth, realtime, caller, tls, notes }
}

function firstOf(candidates: readonly Place[]): { place: Place; found: Found } {
  for (const place of candidates) {
    const found = place.find()
    if (found !== undefined) {
      return { place, found }
    }
  }
  throw new CliError('failed', 'no installation is known')
}

function secretFiles(caller: Caller | undefined, source: string): string[] {
  if (caller === undefined) {
    return []
  }
  if ('value' in caller.code) {
    return [source]
  }
  return 'file' in caller.code ? [caller.code.file] : []
}

/** What a later place names that this one hides, unless somebody named this one by hand. */
function setAside({ env, ...shell }: Surroundings, place: Place, source: string): string[] {
  const local = place.name === localRun
  if (!local && place.name !== environment) {
    return []
  }
  const hidden = local ? choosing(env) : []
  const { use } = readProfiles(shell)
  if (use !== undefined) {
    hidden.push(`profile ${use} (--profile ${use} takes it all the same)`)
  }
  return hidden.length === 0 ? [] : [`${source} goes before ${hidden.join(', ')}`]
}

function fromStored(name: string, how: string, profile: StoredProfile): Found {
  const { auth, realtime, identity, registrationCode, tls } = profile
  const code =
    'file' in registrationCode ? { ...registrationCode, own: true as const } : registrationCode
  const source = `profile ${name} (${how})`
  return { source, auth, realtime, caller: { identity, code }, ...(tls && { tls }) }
}

function fromEnvironment(env: Environment): Caller | undefined {
  const identity = set(env, 'IDENTITY')
  if (identity === undefined) {
    return undefined
  }
  if (set(env, 'REGISTRATION_CODE') !== undefined) {
    return { identity, code: { environment: 'PORTCULLIS_REGISTRATION_CODE' } }
  }
  const file = set(env, 'REGISTRATION_CODE_FILE')
  return { identity, code: file === undefined ? { prompt: true } : { file } }
}

function tlsFromEnvironment(env: Environment): TlsFiles {
  const [ca, cert, key] = ['CA_FILE', 'CERT_FILE', 'KEY_FILE'].map((name) => set(env, name))
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
}

/** The variables that name an installation or a caller, of those that are set. */
function choosing(env: Environment): string[] {
  return ['AUTH_URL', 'REALTIME_URL', 'IDENTITY']
    .filter((name) => set(env, name) !== undefined)
    .map((name) => `PORTCULLIS_${name}`)
}

/** An empty variable counts as not set. */
function set(env: Environment, name: string): string | undefined {
  const value = env[`PORTCULLIS_${name}`]
  return value === '' ? undefined : value
}

/** Auth's URL without a slash at its end. @throws CliError when it is none. */
export function authUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') {
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  }
  throw new CliError('usage', `"${text}" is not an auth URL; use http://host:port`)
}
