import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LocalRun } from '@portcullis/contracts'
import { Value } from '@sinclair/typebox/value'
import { CliError } from './errors.js'
import { type RealtimeUrl, realtimeUrl } from './realtime-url.js'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Credentials {
  identity: string
  registrationCode: string
}

/** Which installation to speak to, and as whom. */
export interface Profile {
  /** Where this was found, in words. */
  source: string
  /** Files that hold a registration code of it. */
  secretFiles: readonly string[]
  auth: string
  realtime: readonly RealtimeUrl[]
  /** Absent when nobody said who the caller is. */
  credentials: Credentials | undefined
  /** What was left aside on the way, for the caller to know. */
  notes: readonly string[]
}

/** Flags of the command line; they win over the file and the environment. */
export interface ProfileFlags {
  auth?: string
  realtime?: string
}

const defaults = { auth: 'http://127.0.0.1:4000', realtime: 'ws://127.0.0.1:8000' }

/**
 * Reads `.portcullis/local.json` of `cwd` or the nearest directory above it that has one; without it,
 * the environment: PORTCULLIS_AUTH_URL, PORTCULLIS_REALTIME_URL (several with commas),
 * PORTCULLIS_IDENTITY, PORTCULLIS_REGISTRATION_CODE or PORTCULLIS_REGISTRATION_CODE_FILE.
 *
 * @throws CliError when a file or a URL cannot be used.
 */
export function loadProfile(cwd: string, env: Environment, flags: ProfileFlags): Profile {
  const local = findLocalRun(cwd)
  const auth = authUrl(flags.auth ?? local?.run.auth ?? set(env, 'AUTH_URL') ?? defaults.auth)
  const realtime = (
    flags.realtime?.split(',') ??
    local?.run.realtime ??
    (set(env, 'REALTIME_URL') ?? defaults.realtime).split(',')
  ).map(realtimeUrl)
  // The file's registration code goes to the file's auth, never to one that a flag names.
  if (local === undefined || auth !== authUrl(local.run.auth)) {
    const codeFile = set(env, 'REGISTRATION_CODE_FILE')
    const isRead = codeFile !== undefined && set(env, 'REGISTRATION_CODE') === undefined
    return {
      source: 'the environment and defaults',
      secretFiles: isRead ? [codeFile] : [],
      auth,
      realtime,
      credentials: fromEnvironment(env),
      notes: [],
    }
  }
  const ignored = ['AUTH_URL', 'REALTIME_URL', 'IDENTITY']
    .filter((name) => set(env, name) !== undefined)
    .map((name) => `PORTCULLIS_${name}`)
  const notes = ignored.length === 0 ? [] : [`${local.file} goes before ${ignored.join(', ')}`]
  return {
    source: local.file,
    secretFiles: [local.file],
    auth,
    realtime,
    credentials: local.run.admin,
    notes,
  }
}

function findLocalRun(start: string): { file: string; run: LocalRun } | undefined {
  for (let dir = start; ; dir = dirname(dir)) {
    const file = join(dir, '.portcullis', 'local.json')
    const text = contents(file)
    if (text !== undefined) return { file, run: parseLocalRun(file, text) }
    if (dir === dirname(dir)) return undefined
  }
}

function parseLocalRun(file: string, text: string): LocalRun {
  let run: unknown
  try {
    run = JSON.parse(text)
  } catch {
    throw new CliError('failed', `${file} is not JSON; start the installation again with npm start`)
  }
  if (Value.Check(LocalRun, run)) return run
  const where = Value.Errors(LocalRun, run).First()?.path ?? ''
  const hint = 'start the installation again with npm start'
  throw new CliError('failed', `${file} cannot be used (${where.slice(1) || 'shape'}); ${hint}`)
}

function contents(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new CliError('failed', `${file} cannot be read (${code})`)
  }
}

function fromEnvironment(env: Environment): Credentials | undefined {
  const identity = set(env, 'IDENTITY')
  const file = set(env, 'REGISTRATION_CODE_FILE')
  const registrationCode = set(env, 'REGISTRATION_CODE') ?? (file && codeIn(file))
  if (identity === undefined || registrationCode === undefined) return undefined
  return { identity, registrationCode }
}

function codeIn(file: string): string {
  const code = contents(file)?.trim()
  if (code === undefined || code === '') {
    const problem = code === undefined ? 'does not exist' : 'is empty'
    throw new CliError('failed', `PORTCULLIS_REGISTRATION_CODE_FILE: ${file} ${problem}`)
  }
  return code
}

/** An empty variable counts as not set. */
function set(env: Environment, name: string): string | undefined {
  const value = env[`PORTCULLIS_${name}`]
  return value === '' ? undefined : value
}

function authUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') {
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  }
  throw new CliError('usage', `"${text}" is not an auth URL; use http://host:port`)
}
