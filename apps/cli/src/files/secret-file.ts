import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { CliError } from '../errors.js'
import type { Shell } from '../terminal/shell.js'
import { readText } from './read-text.js'

/** The kind of secret that a file must hold, without other content. */
export interface SecretKind {
  isValid: (text: string) => boolean
  /** Name for error messages: `a token`. */
  name: string
}

/**
 * Reads the secret in `file`; `-` is standard input.
 *
 * @throws CliError when the content is not such a secret; the message does not show the content.
 */
export async function readSecret(
  file: string,
  { cwd, stdin }: Shell,
  { isValid, name }: SecretKind,
): Promise<string> {
  const secret = (file === '-' ? await text(stdin) : readText(resolve(cwd, file), file)).trim()
  if (isValid(secret)) {
    return secret
  }
  const where = file === '-' ? 'standard input' : file
  throw new CliError('failed', `${where} must hold ${name} and nothing else`)
}
