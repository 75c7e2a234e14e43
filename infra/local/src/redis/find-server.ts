import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Names of the server's program, preferred first. */
const programs = ['redis-server', 'valkey-server']

/** Returns the absolute path of an installed redis-server or valkey-server, or undefined. */
export function findServer(path = process.env['PATH'] ?? ''): string | undefined {
  return programs.map((program) => findProgram(program, path)).find((found) => found !== undefined)
}

/** Returns the absolute path of a program in `PATH`, or undefined. */
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
