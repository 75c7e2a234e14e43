import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LocalError } from '../errors.js'

/** A test file of a workspace. */
export interface TestFile {
  /** Relative to the checkout: `packages/gate`. */
  workspace: string
  /** Relative to the workspace: `test/main.test.ts`. */
  file: string
}

/** `a.long.test.ts` takes long, or needs more than Redis: `.ci/run` runs it, and whoever names it. */
const longTest = '.long.test.ts'

/** Folders that hold no tests of ours. */
const skipped = new Set(['node_modules', 'dist', '.tap'])

/**
 * Returns the test files below the workspaces of the checkout.
 *
 * @param wanted names of workspaces, or parts of paths that begin with a folder or a file name; empty
 * for all
 * @param tier `long` for those that only `.ci/run` runs. It counts only if nothing is named.
 * @throws LocalError `bad_arguments` if no file has a wanted name.
 */
export function findTests(
  checkout: string,
  wanted: readonly string[],
  tier: 'short' | 'long',
): TestFile[] {
  const all = workspacesOf(checkout).flatMap((workspace) =>
    testsBelow(join(checkout, workspace), '').map((file) => ({ workspace, file })),
  )
  if (wanted.length === 0) {
    return all.filter(({ file }) => file.endsWith(longTest) === (tier === 'long'))
  }
  const chosen = wanted.flatMap((name) => {
    const found = filesNamed(all, name.replace(/\/$/, ''))
    if (found.length === 0) {
      throw new LocalError('bad_arguments', `no test file's path has ${name}`)
    }
    return found
  })
  return [...new Set(chosen)]
}

function filesNamed(all: readonly TestFile[], name: string): TestFile[] {
  const ofWorkspace = all.filter(({ workspace }) => `/${workspace}`.endsWith(`/${name}`))
  return ofWorkspace.length > 0
    ? ofWorkspace.filter(({ file }) => !file.endsWith(longTest))
    : all.filter(({ workspace, file }) => `/${workspace}/${file}`.includes(`/${name}`))
}

/** Returns the paths of the workspaces that package.json names. */
function workspacesOf(checkout: string): string[] {
  const { workspaces } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
    workspaces: string[]
  }
  return workspaces
    .flatMap((pattern) =>
      pattern.endsWith('/*')
        ? readdirSync(join(checkout, pattern.slice(0, -2))).map((name) =>
            pattern.replace('*', name),
          )
        : [pattern],
    )
    .filter((workspace) => existsSync(join(checkout, workspace, 'package.json')))
}

/** Returns paths relative to `root`. */
export function testsBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      return skipped.has(entry.name) ? [] : testsBelow(root, path)
    }
    return entry.name.endsWith('.test.ts') ? [path] : []
  })
}
