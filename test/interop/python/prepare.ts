import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../find-program.js'
import { cached, download, type Prepared } from '../prepared.js'

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url))

/** Returns a Python that has the packages of `requirements.txt`. */
export async function preparePython(): Promise<Prepared> {
  const python = findProgram('python3')
  if (python === undefined) {
    return { missing: 'Python is not installed' }
  }
  const environment = await cached('python', [requirements], (folder) => {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1']
    return download([
      { command: python, args: ['-m', 'venv', folder] },
      { command: join(folder, 'bin', 'python'), args: [...pip, '-r', requirements] },
    ])
  })
  return 'missing' in environment
    ? { missing: `the Python packages cannot be installed: ${environment.missing}` }
    : { command: join(environment.folder, 'bin', 'python') }
}
