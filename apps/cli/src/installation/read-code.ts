import { readFileSync, statSync } from 'node:fs'
import { CliError } from '../errors.js'
import { systemCode } from '../files/system-code.js'
import { askSecret } from '../terminal/ask-secret.js'
import { isInteractive } from '../terminal/is-interactive.js'
import type { Shell } from '../terminal/shell.js'
import type { CodeSource } from './code-source.js'

/**
 * The registration code of `identity`, from where it is kept.
 *
 * @throws CliError when there is none; what was found instead is not shown.
 */
export async function readCode(
  source: CodeSource,
  identity: string,
  shell: Shell,
): Promise<string> {
  if ('value' in source) {
    return source.value
  }
  if ('file' in source) {
    return codeIn(source)
  }
  if ('environment' in source) {
    const code = shell.env[source.environment]?.trim()
    if (code) {
      return code
    }
    const problem = `the profile takes the registration code of ${identity} from it`
    throw new CliError('failed', `${source.environment} is not set; ${problem}`)
  }
  if (isInteractive(shell)) {
    return askSecret(shell, `registration code of ${identity}: `)
  }
  throw new CliError(
    'failed',
    `the registration code of ${identity} can only be asked for on a terminal; here set ` +
      'PORTCULLIS_REGISTRATION_CODE_FILE, or use a profile that names a file or a variable',
  )
}

function codeIn({ file, own }: { file: string; own?: true }): string {
  let code: string
  try {
    // Windows has no such modes, and says 0666 of every file.
    const others = process.platform === 'win32' ? 0 : statSync(file).mode & 0o077
    if (own && others !== 0) {
      throw new CliError('failed', `others can read ${file}; do: chmod 600 ${file}`)
    }
    code = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (error instanceof CliError) {
      throw error
    }
    throw new CliError('failed', `the registration code in ${file}: ${problem(error)}`)
  }
  if (code !== '' && !/\s/.test(code)) {
    return code
  }
  const what = code === '' ? 'is empty' : 'does not hold a registration code, and nothing else'
  throw new CliError('failed', `${file} ${what}`)
}

function problem(error: unknown): string {
  const code = systemCode(error)
  return code === 'ENOENT' ? 'the file does not exist' : `the file cannot be read (${code})`
}
