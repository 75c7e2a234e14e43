import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { download } from '../download.js'
import { findProgram } from '../find-program.js'

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url))

/**
 * Returns a Python that has the packages of `requirements.txt`, in an environment that later runs find
 * again in the user's cache. Otherwise returns why that is impossible.
 */
export async function preparePython(): Promise<{ python: string } | { missing: string }> {
  const python = findProgram('python3')
  if (python === undefined) {
    return { missing: 'Python is not installed' }
  }
  const { XDG_CACHE_HOME = join(homedir(), '.cache') } = process.env
  const cache = join(XDG_CACHE_HOME, 'portcullis-interop')
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
  const environment = join(cache, `python-${hash.slice(0, 16)}`)
  const ready = { python: join(environment, 'bin', 'python') }
  if (await stat(ready.python).catch(() => undefined)) {
    return ready
  }
  await mkdir(cache, { recursive: true })
  // Runs at the same time fill folders of their own.
  const partial = `${environment}.${process.pid}`
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--retries',
    '1',
    '--timeout',
    '15',
  ]
  const missing = await download([
    { command: python, args: ['-m', 'venv', partial] },
    { command: join(partial, 'bin', 'python'), args: [...pip, '-r', requirements] },
  ])
  if (missing === undefined) {
    await rm(environment, { recursive: true, force: true })
    await rename(partial, environment).catch(() => undefined)
  }
  await rm(partial, { recursive: true, force: true })
  return missing === undefined
    ? ready
    : { missing: `the Python packages cannot be installed: ${missing}` }
}
