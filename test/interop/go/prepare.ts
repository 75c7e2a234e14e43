import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { download } from '../download.js'
import { findProgram } from '../find-program.js'

const module = fileURLToPath(new URL('.', import.meta.url))

/**
 * Compiles the programs of this module into `folder`. Returns why that is impossible on this machine.
 *
 * @throws Error if the programs do not compile
 */
export async function prepareGo(folder: string): Promise<string | undefined> {
  const go = findProgram('go')
  if (go === undefined) {
    return 'Go is not installed'
  }
  const missing = await download([{ command: go, args: ['mod', 'download'], cwd: module }])
  if (missing !== undefined) {
    return `the Go modules cannot be downloaded: ${missing}`
  }
  const build = ['build', '-mod=readonly', '-o', `${folder}/`, './sdk', './oauth', './issue']
  await promisify(execFile)(go, build, { cwd: module })
  return undefined
}
