import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { CliError } from '../errors.js'
import { createPrivateFile } from '../files/private-file.js'
import { systemCode } from '../files/system-code.js'
import type { Shell } from '../terminal/shell.js'
import { StoredCodeSource } from './code-source.js'
import { TlsFiles } from './tls.js'

const closed = { additionalProperties: false }

/** One installation, and the caller's identity there. */
export const StoredProfile = Type.Object(
  {
    auth: Type.String(),
    realtime: Type.Array(Type.String()),
    identity: Type.String(),
    registrationCode: StoredCodeSource,
    tls: Type.Optional(TlsFiles),
  },
  closed,
)
export type StoredProfile = Static<typeof StoredProfile>

export const profileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Content of `config.json`. `use`: the profile chosen with `portcullis profile use`. */
const StoredProfiles = Type.Object(
  {
    use: Type.Optional(Type.String()),
    profiles: Type.Record(Type.String({ pattern: profileName.source }), StoredProfile, closed),
  },
  closed,
)
export type StoredProfiles = Static<typeof StoredProfiles>

type ConfigDir = Pick<Shell, 'configDir'>

export function configFile({ configDir }: ConfigDir): string {
  return join(configDir, 'config.json')
}

/** The file that `profile add --keep-code` writes. */
export function keptCodeFile({ configDir }: ConfigDir, name: string): string {
  return join(configDir, `${name}.code`)
}

/**
 * Reads the user's profiles; returns an empty set when there is no file.
 *
 * @throws CliError when the file is invalid; the message does not show its content.
 */
export function readProfiles(dir: ConfigDir): StoredProfiles {
  const file = configFile(dir)
  let stored: unknown
  try {
    stored = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return { profiles: {} }
    }
    if (error instanceof SyntaxError) {
      throw new CliError('failed', `${file} is not JSON; fix or delete it`)
    }
    throw new CliError('failed', `cannot read ${file} (${code})`)
  }
  if (Value.Check(StoredProfiles, stored)) {
    return stored
  }
  const path = Value.Errors(StoredProfiles, stored).First()?.path.slice(1) ?? ''
  const what = path === '' ? 'its content' : `"${path}"`
  throw new CliError('failed', `${file} is invalid at ${what}; fix or delete it`)
}

/** Writes the profiles atomically, with mode 0600. @throws CliError when that fails. */
export function saveProfiles(dir: ConfigDir, profiles: StoredProfiles): void {
  makeConfigDir(dir)
  const file = createPrivateFile(configFile(dir), { replace: true })
  try {
    file.write(`${JSON.stringify(profiles, null, 2)}\n`)
  } finally {
    file.discard()
  }
}

/** @throws CliError when the directory cannot be created. */
export function makeConfigDir({ configDir }: ConfigDir): void {
  try {
    mkdirSync(configDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new CliError('failed', `cannot create ${configDir} (${systemCode(error)})`)
  }
}

/** Returns the profile `name`. @throws CliError when it does not exist. */
export function storedProfile({ profiles }: StoredProfiles, name: string): StoredProfile {
  const found = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (found !== undefined) {
    return found
  }
  const known = Object.keys(profiles)
  const hint =
    known.length === 0 ? 'add it with portcullis profile add' : `known: ${known.join(', ')}`
  throw new CliError('usage', `profile "${name}" does not exist; ${hint}`)
}
