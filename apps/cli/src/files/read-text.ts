import { readFileSync } from 'node:fs'
import { CliError } from '../errors.js'
import { systemCode } from './system-code.js'

/**
 * Reads a text file.
 *
 * @param shown - name of the file in the error message
 * @throws CliError when the file cannot be read.
 */
export function readText(path: string, shown = path): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CliError('failed', `cannot read ${shown} (${systemCode(error)})`)
  }
}
