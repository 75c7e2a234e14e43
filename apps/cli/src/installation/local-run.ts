import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LocalRun } from '@portcullis/contracts/local'
import { Value } from '@sinclair/typebox/value'
import { CliError } from '../errors.js'
import { systemCode } from '../files/system-code.js'

/**
 * Finds `.portcullis/local.json` in `start` or the nearest parent directory that has one.
 *
 * @throws CliError when the file is invalid; the message does not show its content.
 */
export function findLocalRun(start: string): { file: string; run: LocalRun } | undefined {
  for (let dir = start; ; dir = dirname(dir)) {
    const file = join(dir, '.portcullis', 'local.json')
    const text = contents(file)
    if (text !== undefined) {
      return { file, run: parse(file, text) }
    }
    if (dir === dirname(dir)) {
      return undefined
    }
  }
}

const hint = 'run npm start again to write it anew'

function parse(file: string, text: string): LocalRun {
  let run: unknown
  try {
    run = JSON.parse(text)
  } catch {
    throw new CliError('failed', `${file} is not JSON; ${hint}`)
  }
  if (Value.Check(LocalRun, run)) {
    return run
  }
  const path = Value.Errors(LocalRun, run).First()?.path.slice(1) ?? ''
  const what = path === '' ? 'its content' : `"${path}"`
  throw new CliError('failed', `${file} is invalid at ${what}; ${hint}`)
}

/** Returns the text of the file, or undefined when there is no such file. */
function contents(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined
    }
    throw new CliError('failed', `cannot read ${file} (${code})`)
  }
}
