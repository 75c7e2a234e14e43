import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { CliError } from '../errors.js'
import { openOwnFile } from '../files/own-file.js'
import { systemCode } from '../files/system-code.js'
import type { Shell } from '../terminal/shell.js'
import { StoredCodeSource } from './code-source.js'
import { TlsFiles } from './tls.js'

const closed = { additionalProperties: false }

/** One installation, and who the caller is there. */
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

/** `config.json`. `use`: the profile that is taken when nothing names another. */
const StoredProfiles = Type.Object(
  {
    use: Type.Optional(Type.String()),
    profiles: Type.Record(Type.String({ pattern: profileName.source }), StoredProfile, closed),
  },
  closed,
)
export type StoredProfiles = Static<typeof StoredProfiles>

type Place = Pick<Shell, 'configDir'>

export function configFile({ configDir }: Place): string {
  return join(configDir, 'config.json')
}

/** The file that `profile add --keep-code` writes. */
export function keptCodeFile({ configDir }: Place, name: string): string {
  return join(configDir, `${name}.code`)
}

/**
 * The profiles that are kept for this person; none when there is no file yet.
 *
 * @throws CliError when the file cannot be used; nothing of its content is shown.
 */
export function readProfiles(place: Place): StoredProfiles {
  const file = configFile(place)
  let stored: unknown
  try {
    stored = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return { profiles: {} }
    }
    const problem = error instanceof SyntaxError ? 'is not JSON' : `cannot be read (${code})`
    throw new CliError('failed', `${file} ${problem}; mend it, or remove it`)
  }
  if (Value.Check(StoredProfiles, stored)) {
    return stored
  }
  const where = Value.Errors(StoredProfiles, stored).First()?.path.slice(1) || 'shape'
  throw new CliError('failed', `${file} cannot be used (${where}); mend it, or remove it`)
}

/** Writes the profiles for their owner alone, in one step. @throws CliError when that fails. */
export function saveProfiles(place: Place, profiles: StoredProfiles): void {
  makeConfigDir(place)
  const file = openOwnFile(configFile(place), { replace: true })
  try {
    file.write(`${JSON.stringify(profiles, null, 2)}\n`)
  } finally {
    file.discard()
  }
}

/** @throws CliError when the directory cannot be made. */
export function makeConfigDir({ configDir }: Place): void {
  try {
    mkdirSync(configDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new CliError('failed', `${configDir} cannot be made (${systemCode(error)})`)
  }
}

/** @throws CliError when there is none of that name. */
export function storedProfile({ profiles }: StoredProfiles, name: string): StoredProfile {
  const found = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (found !== undefined) {
    return found
  }
  const known = Object.keys(profiles)
  const hint = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`
  throw new CliError('usage', `there is no profile "${name}": ${hint} (portcullis profile add)`)
}
