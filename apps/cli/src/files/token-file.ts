import { closeSync, fchmodSync, openSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { CliError } from '../errors.js'
import type { Shell } from '../terminal/shell.js'
import { readSecret } from './secret-file.js'
import { systemCode } from './system-code.js'

/**
 * The token in `file`, or on standard input for `-`.
 *
 * @throws CliError when there is none; the message shows nothing of what was there.
 */
export function readToken(file: string, shell: Shell): Promise<string> {
  return readSecret(file, shell, { pattern: /^[A-Za-z0-9._~+-]{1,4096}$/, what: 'a token' })
}

/** Writes the token for its owner alone (mode 0600), also over a file that others could read. */
export function writeToken(file: string, token: string, { cwd }: Shell): void {
  try {
    const descriptor = openSync(resolve(cwd, file), 'w', 0o600)
    try {
      fchmodSync(descriptor, 0o600)
      writeSync(descriptor, `${token}\n`)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw new CliError('failed', `${file} cannot be written (${systemCode(error)})`)
  }
}
