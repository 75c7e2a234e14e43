import { closeSync, fchmodSync, openSync, readFileSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { CliError } from './errors.js'
import type { Shell } from './shell.js'
import { systemCode } from './system-code.js'

/**
 * The token in `file`, or on standard input for `-`.
 *
 * @throws CliError when there is none; the message shows nothing of what was there.
 */
export async function readToken(file: string, { cwd, stdin }: Shell): Promise<string> {
  const token = (file === '-' ? await text(stdin) : contents(cwd, file)).trim()
  if (/^[A-Za-z0-9._~+-]{1,4096}$/.test(token)) return token
  const where = file === '-' ? 'standard input' : file
  throw new CliError('failed', `${where} does not hold a token, and nothing but a token`)
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

function contents(cwd: string, file: string): string {
  try {
    return readFileSync(resolve(cwd, file), 'utf8')
  } catch (error) {
    throw new CliError('failed', `${file} cannot be read (${systemCode(error)})`)
  }
}
