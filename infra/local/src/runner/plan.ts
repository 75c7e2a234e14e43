import { statSync } from 'node:fs'
import { join } from 'node:path'
import { compileTests } from './compile-tests.js'
import type { TestFile } from './find-tests.js'
import { canShare, type PlannedTest } from './plan-tests.js'
import type { Times } from './times.js'

/** Milliseconds for each byte of a compiled file, where nothing better is known. */
const msPerByte = 0.05

/**
 * Compiles the tests of each workspace below `root`.
 *
 * @throws esbuild's BuildFailure, which names file and line.
 */
export async function planTests(
  root: string,
  tests: readonly TestFile[],
  times: Times | undefined,
): Promise<PlannedTest[]> {
  const workspaces = [...new Set(tests.map(({ workspace }) => workspace))]
  const planned = await Promise.all(
    workspaces.map(async (workspace) => {
      const files = tests.filter((test) => test.workspace === workspace)
      const programs = await compileTests(
        join(root, workspace),
        files.map(({ file }) => file),
      )
      return files.map((test) => {
        const program = programs.get(test.file) ?? ''
        const ms = times?.of(test) ?? statSync(program).size * msPerByte
        return { ...test, program, shares: canShare(program), ms }
      })
    }),
  )
  return planned.flat()
}
