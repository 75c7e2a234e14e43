import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LocalRun } from '@portcullis/contracts/local'
import { Value } from '@sinclair/typebox/value'
import { CliError } from '../errors.js'
import { systemCode } from '../files/system-code.js'

/**
 * `.portcullis/local.json` of `start` or the nearest directory above it that has one.
 *
 * @throws CliError when it cannot be used; nothing of its content is shown.
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

const hint = 'start the installation again with npm start'

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
  const where = Value.Errors(LocalRun, run).First()?.path ?? ''
  throw new CliError('failed', `${file} cannot be used (${where.slice(1) || 'shape'}); ${hint}`)
}

function contents(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined
    }
    throw new CliError('failed', `${file} cannot be read (${code})`)
  }
}
