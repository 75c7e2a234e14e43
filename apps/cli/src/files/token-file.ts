import { closeSync, fchmodSync, openSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { maxTokenLength } from '@portcullis/contracts/names'
import { CliError } from '../errors.js'
import type { Shell } from '../terminal/shell.js'
import { readSecret } from './secret-file.js'
import { systemCode } from './system-code.js'

/** Characters of a bearer token (RFC 6750 §2.1), without `/` and `=`. */
const tokenPattern = /^[A-Za-z0-9._~+-]+$/

/**
 * Reads the token in `file`; `-` is standard input.
 *
 * @throws CliError when the content is not a token; the message does not show the content.
 */
export function readToken(file: string, shell: Shell): Promise<string> {
  const isValid = (text: string) => text.length <= maxTokenLength && tokenPattern.test(text)
  return readSecret(file, shell, { isValid, name: 'a token' })
}

/** Writes the token with mode 0600, which also replaces the mode of an existing file. */
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
    throw new CliError('failed', `cannot write ${file} (${systemCode(error)})`)
  }
}
