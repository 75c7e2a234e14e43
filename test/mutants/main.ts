import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startRedis } from '@portcullis/local'
import { copyCheckout, deleteCopy } from './copy-checkout.js'
import { mutations } from './mutations.js'
import { isKilled, mutate, passes } from './run-mutation.js'

type Step = <Result>(title: string, work: () => Promise<Result>) => Promise<Result>

const root = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * `npm run mutants`: removes one guard after another in a copy of the checkout, and runs the test that has
 * to fail. Arguments select mutants whose name contains one of them. Resolves to the exit code.
 */
export async function main(args: readonly string[], step: Step): Promise<number> {
  const chosen = mutations.filter(
    ({ name }) => args.length === 0 || args.some((part) => name.includes(part)),
  )
  for (const mutation of chosen) {
    mutate(await readFile(join(root, mutation.file), 'utf8'), mutation)
  }
  const redisDir = await mkdtemp(join(tmpdir(), 'portcullis-mutants-redis-'))
  const redis =
    (process.env['REDIS_URL'] ?? '') === ''
      ? await startRedis({ dir: redisDir, durable: false })
      : undefined
  if (redis !== undefined) {
    process.env['REDIS_URL'] = redis.url
  }
  const copies: string[] = []
  try {
    const workers = Math.min(availableParallelism(), 4, chosen.length)
    await step('copying the checkout', async () => {
      while (copies.length < workers) {
        copies.push(await copyCheckout(root))
      }
    })
    const tests = [...new Set(chosen.map(({ test }) => test))]
    const broken = await each(copies, tests, async (copy, test) => {
      // One failure may be a timeout on a busy machine.
      return !(await passes(copy, test)) && !(await passes(copy, test))
    })
    if (broken.length > 0) {
      print(`these tests fail without a mutation: ${broken.join(', ')}`)
      return 1
    }
    const survived = await each(copies, chosen, async (copy, mutation) => {
      const killed = await isKilled(copy, mutation)
      print(
        `  ${killed ? '✓' : '✗ survives:'} ${mutation.name} (${mutation.file}; ${mutation.test})`,
      )
      return !killed
    })
    print(`\n${chosen.length - survived.length} of ${chosen.length} mutants killed`)
    return survived.length === 0 && chosen.length > 0 ? 0 : 1
  } finally {
    await Promise.all(copies.map(deleteCopy))
    await redis?.stop()
    await rm(redisDir, { recursive: true, force: true })
  }
}

/** Works on each item, one at a time in each copy. Returns the items for which `work` returned true. */
async function each<Item>(
  copies: readonly string[],
  items: readonly Item[],
  work: (copy: string, item: Item) => Promise<boolean>,
): Promise<Item[]> {
  const left = [...items]
  const found: Item[] = []
  await Promise.all(
    copies.map(async (copy) => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) {
        if (await work(copy, item)) {
          found.push(item)
        }
      }
    }),
  )
  return found
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
