import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { transform } from 'esbuild'
import type { Mutation } from './mutations.js'

/** A test that hangs has failed. */
const maxTestMs = 120_000

/** Returns `source` with the mutation made. @throws Error when its text is not in there exactly once */
export function mutate(source: string, { name, file, text, replacement }: Mutation): string {
  const found = source.split(text).length - 1
  if (found !== 1) {
    throw new Error(`mutants: "${name}": its text is in ${file} ${found} times, and has to be once`)
  }
  return source.replace(text, () => replacement)
}

/** Makes the mutation in a copy of the checkout, and returns whether its test fails. */
export async function isKilled(copy: string, mutation: Mutation): Promise<boolean> {
  const file = join(copy, mutation.file)
  const source = await readFile(file, 'utf8')
  const mutated = mutate(source, mutation)
  // A file that cannot be read kills every mutant.
  if (file.endsWith('.ts')) {
    await transform(mutated, { loader: 'ts' })
  }
  await writeFile(file, mutated)
  try {
    return !(await passes(copy, mutation.test))
  } finally {
    await writeFile(file, source)
  }
}

/** Runs one test file of a copy, from its TypeScript, and returns whether it passes. */
export function passes(copy: string, test: string): Promise<boolean> {
  const [place = '', name = ''] = test.split('/')
  const workspace = join(copy, place, name)
  const loader = join(copy, 'node_modules/@tapjs/typescript/dist/esm/import.mjs')
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [`--import=${pathToFileURL(loader)}`, relative(workspace, join(copy, test))],
      {
        cwd: workspace,
        env: { ...process.env, TAP_BAIL: '1', TAP_TIMEOUT: String(maxTestMs / 1000) },
        stdio: 'ignore',
        timeout: maxTestMs,
        killSignal: 'SIGKILL',
      },
    )
    child.once('error', reject)
    child.once('close', (code) => resolve(code === 0))
  })
}
