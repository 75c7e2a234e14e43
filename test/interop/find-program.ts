import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Folders of programs that services use, and that are not always in a user's PATH. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/opt/homebrew/bin']

/** Returns the absolute path of an installed program, or undefined when it is missing. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders]
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
