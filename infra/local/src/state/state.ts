import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The directory of a local installation: identities, secrets, logs and Redis data, kept across restarts. */
export interface State {
  readonly dir: string
  /** Returns a path inside the directory. */
  path(...names: string[]): string
  /** Returns the trimmed content of the file, or undefined if it does not exist. */
  read(name: string): string | undefined
  /** Replaces the file atomically; mode 0600. */
  write(name: string, text: string): void
  /** Returns the content of the file; writes a random 256-bit secret first if it is missing or empty. */
  secret(name: string): string
}

/** Opens the state directory, and creates it if needed. Only its owner can read it. */
export function openState(dir: string): State {
  mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 })
  // An existing directory may be readable by others.
  chmodSync(dir, 0o700)
  const state: State = {
    dir,
    path: (...names) => join(dir, ...names),
    read(name) {
      try {
        return readFileSync(join(dir, name), 'utf8').trim()
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
          return undefined
        }
        throw error
      }
    },
    write(name, text) {
      const draft = join(dir, `${name}.${process.pid}.new`)
      writeFileSync(draft, text, { mode: 0o600 })
      renameSync(draft, join(dir, name))
    },
    secret(name) {
      const kept = state.read(name)
      if (kept !== undefined && kept !== '') {
        return kept
      }
      const made = randomBytes(32).toString('base64url')
      state.write(name, `${made}\n`)
      return made
    },
  }
  return state
}
