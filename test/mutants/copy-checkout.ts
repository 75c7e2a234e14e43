import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** The scope of this repository's packages in `node_modules`. */
const ownScope = '@portcullis'

/**
 * Copies the checkout's files and builds into a new folder. Links installed packages, but copies the links
 * to this repository's packages, so that their imports stay in the copy.
 */
export async function copyCheckout(root: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'portcullis-mutants-'))
  const listed = await promisify(execFile)(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root, maxBuffer: 64 * 1024 * 1024 },
  )
  const files = listed.stdout
    .split('\0')
    .filter((file) => file !== '' && existsSync(join(root, file)))
  for (const file of files) {
    await cp(join(root, file), join(copy, file))
  }
  const workspaces = files
    .filter((file) => file.endsWith('/package.json'))
    .map(dirname)
    .filter((folder) => existsSync(join(root, folder, 'dist')))
  for (const folder of workspaces) {
    await cp(join(root, folder, 'dist'), join(copy, folder, 'dist'), { recursive: true })
    const modules = join(root, folder, 'node_modules')
    if (existsSync(modules)) {
      await symlink(modules, join(copy, folder, 'node_modules'))
    }
  }
  await linkPackages(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** Deletes a copy. */
export async function deleteCopy(copy: string): Promise<void> {
  await rm(copy, { recursive: true, force: true })
}

async function linkPackages(from: string, to: string): Promise<void> {
  await mkdir(to)
  for (const name of await readdir(from)) {
    // npm's links are relative, so a copy of them points into the copy.
    if (name === ownScope) {
      await cp(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true })
    } else {
      await symlink(join(from, name), join(to, name))
    }
  }
}
