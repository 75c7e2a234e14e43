import { readFileSync, statSync } from 'node:fs'
import { CliError } from '../errors.js'
import { systemCode } from '../files/system-code.js'
import { askSecret } from '../terminal/ask-secret.js'
import { isInteractive } from '../terminal/is-interactive.js'
import type { Shell } from '../terminal/shell.js'
import type { CodeSource } from './code-source.js'

/**
 * Reads the registration code of `identity` from its source.
 *
 * @throws CliError when there is no valid code; the message does not show what was found.
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
    return codeInFile(source)
  }
  if ('environment' in source) {
    const code = shell.env[source.environment]?.trim()
    if (code) {
      return code
    }
    const use = `the profile reads the registration code of ${identity} from it`
    throw new CliError('failed', `${source.environment} is not set; ${use}`)
  }
  if (isInteractive(shell)) {
    return askSecret(shell, `Registration code of ${identity}: `)
  }
  throw new CliError(
    'failed',
    `there is no terminal to ask for the registration code of ${identity} on; set ` +
      'PORTCULLIS_REGISTRATION_CODE_FILE, or use a profile that names a file or a variable',
  )
}

function codeInFile({ file, own }: { file: string; own?: true }): string {
  let code: string
  try {
    // Windows has no such modes and reports 0666 for every file.
    const othersMode = process.platform === 'win32' ? 0 : statSync(file).mode & 0o077
    if (own && othersMode !== 0) {
      throw new CliError('failed', `other users can read ${file}; run: chmod 600 ${file}`)
    }
    code = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (error instanceof CliError) {
      throw error
    }
    const message = `cannot read the registration code in ${file} (${systemCode(error)})`
    throw new CliError('failed', message)
  }
  if (code === '') {
    throw new CliError('failed', `${file} is empty; it must hold a registration code`)
  }
  if (/\s/.test(code)) {
    throw new CliError('failed', `${file} must hold a registration code and nothing else`)
  }
  return code
}
