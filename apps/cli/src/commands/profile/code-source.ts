import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { CliError } from '../../errors.js'
import { createPrivateFile } from '../../files/private-file.js'
import type { StoredCodeSource } from '../../installation/code-source.js'
import { keptCodeFile, makeConfigDir } from '../../installation/stored-profiles.js'
import { askSecret } from '../../terminal/ask-secret.js'
import { isInteractive } from '../../terminal/is-interactive.js'
import type { Shell } from '../../terminal/shell.js'

export interface CodeOptions {
  codeFile?: string
  codeEnv?: string
  keepCode?: true
  replace?: true
}

/**
 * Returns the code source that the options name; with `--keep-code` it reads and stores the code.
 *
 * @throws CliError; messages never repeat a value, since the user may have given the code itself.
 */
export async function readCodeSource(
  shell: Shell,
  name: string,
  { codeFile, codeEnv, keepCode, replace }: CodeOptions,
): Promise<StoredCodeSource> {
  if (codeFile !== undefined) {
    const file = resolve(shell.cwd, codeFile)
    if (existsSync(file)) {
      return { file }
    }
    throw new CliError(
      'usage',
      '--code-file must name an existing file; never give the code itself',
    )
  }
  if (codeEnv !== undefined) {
    if (/^[A-Za-z_]\w*$/.test(codeEnv)) {
      return { environment: codeEnv }
    }
    throw new CliError('usage', '--code-env must name a variable; never give the code itself')
  }
  if (!keepCode) {
    return { prompt: true }
  }
  return { file: await keepCodeInFile(shell, name, replace === true) }
}

async function keepCodeInFile(shell: Shell, name: string, replace: boolean): Promise<string> {
  const code = isInteractive(shell)
    ? await askSecret(shell, 'Registration code: ')
    : (await text(shell.stdin)).trim()
  if (!/^\S{1,4096}$/.test(code)) {
    throw new CliError('failed', 'standard input must hold a registration code and nothing else')
  }
  makeConfigDir(shell)
  const file = keptCodeFile(shell, name)
  const codeFile = createPrivateFile(file, { replace })
  try {
    codeFile.write(`${code}\n`)
  } finally {
    codeFile.discard()
  }
  return file
}
