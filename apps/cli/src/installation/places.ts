import { defined } from '@portcullis/contracts/defined'
import type { Environment, Shell } from '../terminal/shell.js'
import type { CodeSource } from './code-source.js'
import { findLocalRun } from './local-run.js'
import { readProfiles, type StoredProfile, storedProfile } from './stored-profiles.js'
import type { TlsFiles } from './tls.js'

/** The caller's identity, and where its registration code is. */
export interface Caller {
  identity: string
  code: CodeSource
}

/** Global flags; they override what a place says. */
export interface ProfileFlags {
  profile?: string
  auth?: string
  realtime?: string
}

/** A place that may name an installation. */
export interface Place {
  name: string
  /** Text to show when the place names no installation. */
  absent: string
  /** @throws CliError when the place is present but invalid. */
  find(): Found | undefined
}

/** The installation that a place names. */
export interface Found {
  source: string
  auth: string
  realtime: readonly string[]
  caller: Caller | undefined
  /** Undefined: the environment variables apply. */
  tls?: TlsFiles
}

export type Surroundings = Pick<Shell, 'cwd' | 'env' | 'configDir'>

export const localRun = '.portcullis/local.json'
export const environment = 'PORTCULLIS_AUTH_URL, PORTCULLIS_REALTIME_URL, PORTCULLIS_IDENTITY'
const defaults = { auth: 'http://127.0.0.1:4000', realtime: ['ws://127.0.0.1:8000'] }

/**
 * Returns the places that may name an installation, in order of precedence. The first one present is
 * used as a whole; mixing two could send a registration code to another installation's auth.
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
      find: () => stored(variable(env, 'PROFILE'), 'PORTCULLIS_PROFILE'),
    },
    {
      name: localRun,
      absent: 'not in this directory or a parent directory',
      find: () => fromLocalRun(shell.cwd),
    },
    {
      name: environment,
      absent: 'not set',
      find: () => fromEnvironment(env),
    },
    {
      name: 'portcullis profile use',
      absent: 'no profile chosen',
      find: () => stored(readProfiles(shell).use, 'portcullis profile use'),
    },
    {
      name: 'defaults',
      absent: '',
      find: () => ({ ...defaults, source: 'defaults', caller: undefined }),
    },
  ]
}

function fromStored(name: string, how: string, profile: StoredProfile): Found {
  const { auth, realtime, identity, registrationCode, tls } = profile
  const code =
    'file' in registrationCode ? { ...registrationCode, own: true as const } : registrationCode
  const source = `profile ${name} (${how})`
  return { source, auth, realtime, caller: { identity, code }, ...defined({ tls }) }
}

function fromLocalRun(cwd: string): Found | undefined {
  const local = findLocalRun(cwd)
  if (local === undefined) {
    return undefined
  }
  const { auth, realtime, admin } = local.run
  const code = { value: admin.registrationCode }
  return { source: local.file, auth, realtime, caller: { identity: admin.identity, code } }
}

function fromEnvironment(env: Environment): Found | undefined {
  if (setVariables(env).length === 0) {
    return undefined
  }
  return {
    source: 'environment variables',
    auth: variable(env, 'AUTH_URL') ?? defaults.auth,
    realtime: variable(env, 'REALTIME_URL')?.split(',') ?? defaults.realtime,
    caller: callerFromEnvironment(env),
  }
}

export function callerFromEnvironment(env: Environment): Caller | undefined {
  const identity = variable(env, 'IDENTITY')
  if (identity === undefined) {
    return undefined
  }
  if (variable(env, 'REGISTRATION_CODE') !== undefined) {
    return { identity, code: { environment: 'PORTCULLIS_REGISTRATION_CODE' } }
  }
  const file = variable(env, 'REGISTRATION_CODE_FILE')
  return { identity, code: file === undefined ? { prompt: true } : { file } }
}

export function tlsFromEnvironment(env: Environment): TlsFiles {
  return defined({
    ca: variable(env, 'CA_FILE'),
    cert: variable(env, 'CERT_FILE'),
    key: variable(env, 'KEY_FILE'),
  })
}

/** Returns the variables that are set, of those that make the environment a place. */
export function setVariables(env: Environment): string[] {
  return ['AUTH_URL', 'REALTIME_URL', 'IDENTITY']
    .filter((name) => variable(env, name) !== undefined)
    .map((name) => `PORTCULLIS_${name}`)
}

/** Returns the value of `PORTCULLIS_<name>`; an empty value counts as not set. */
function variable(env: Environment, name: string): string | undefined {
  const value = env[`PORTCULLIS_${name}`]
  return value === '' ? undefined : value
}
