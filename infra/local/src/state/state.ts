import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The directory where an installation on this machine keeps what must outlive a restart. */
export interface State {
  readonly dir: string
  /** A path inside the directory. */
  path(...names: string[]): string
  /** What `name` holds, without surrounding space; undefined when there is no such file. */
  read(name: string): string | undefined
  /** Replaces `name` in one step; mode 0600. */
  write(name: string, text: string): void
  /** What `name` holds; a new 256-bit random secret, kept there, when it holds nothing. */
  secret(name: string): string
}

/** Opens the state directory; makes it, for its owner alone, when it does not exist. */
export function openState(dir: string): State {
  mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 })
  // It may exist already, made by someone less careful.
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
