import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Names of the server's program, in the order we prefer them. */
const programs = ['redis-server', 'valkey-server']

/** The absolute path of an installed redis-server or valkey-server; undefined when there is none. */
export function findServer(path = process.env['PATH'] ?? ''): string | undefined {
  return programs.map((program) => findProgram(program, path)).find((found) => found !== undefined)
}

/** The absolute path of a program that `PATH` holds. */
export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((dir) => dir !== '')
    .map((dir) => join(dir, name))
    .find(isProgram)
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
