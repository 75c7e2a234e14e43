import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { transform } from 'esbuild'
import type { Mutation } from './mutations.js'

/** A test that takes longer has failed. */
const maxTestMs = 120_000

/** Returns the mutated source. @throws Error when the source does not contain the text exactly once */
export function mutate(source: string, { name, file, text, replacement }: Mutation): string {
  const found = source.split(text).length - 1
  if (found !== 1) {
    throw new Error(
      `mutants: "${name}": ${file} must contain the text once, but has it ${found} times`,
    )
  }
  return source.replace(text, () => replacement)
}

/** Mutates a copy of the checkout. Returns true if the mutation's test fails. */
export async function isKilled(copy: string, mutation: Mutation): Promise<boolean> {
  const source = await readFile(join(copy, mutation.file), 'utf8')
  const mutated = mutate(source, mutation)
  const built = join(copy, mutation.file.replace('/src/', '/dist/').replace(/\.ts$/, '.js'))
  const original = await readFile(built, 'utf8')
  // Tests import the build. A syntax error would kill every mutant.
  const output = mutation.file.endsWith('.ts')
    ? (await transform(mutated, { loader: 'ts' })).code
    : mutated
  await writeFile(built, output)
  try {
    return !(await passes(copy, mutation.test))
  } finally {
    await writeFile(built, original)
  }
}

/** Runs one test file of a copy. Returns true if it passes. */
export function passes(copy: string, test: string): Promise<boolean> {
  const [place = '', name = ''] = test.split('/')
  const workspace = join(copy, place, name)
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [join(copy, 'infra/local/dist/run-tests.js'), relative(workspace, join(copy, test))],
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
