import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { CliError } from '../errors.js'
import type { Shell } from '../terminal/shell.js'
import { systemCode } from './system-code.js'

/** What a file is to hold, and nothing else. */
export interface Secret {
  pattern: RegExp
  /** For messages: `a token`. */
  what: string
}

/**
 * The secret in `file`, or on standard input for `-`.
 *
 * @throws CliError when there is none; the message shows nothing of what was there.
 */
export async function readSecret(
  file: string,
  { cwd, stdin }: Shell,
  { pattern, what }: Secret,
): Promise<string> {
  const secret = (file === '-' ? await text(stdin) : contents(cwd, file)).trim()
  if (pattern.test(secret)) {
    return secret
  }
  const where = file === '-' ? 'standard input' : file
  throw new CliError('failed', `${where} does not hold ${what}, and nothing but ${what}`)
}

function contents(cwd: string, file: string): string {
  try {
    return readFileSync(resolve(cwd, file), 'utf8')
  } catch (error) {
    throw new CliError('failed', `${file} cannot be read (${systemCode(error)})`)
  }
}
