import { execFile } from 'node:child_process'
import t from 'tap'
import { parseOptions } from './src/options.js'

const main = new URL('./dist/main.js', import.meta.url)

/** Runs the simulation like `npm run simulate`. */
function simulate(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, NODE_OPTIONS: '' }, maxBuffer: 64 * 1024 * 1024 }
    execFile(process.execPath, [main.pathname, ...args], options, (error, output, problems) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: output + problems })
    })
  })
}

t.test('a seed has the same history each time', async (t) => {
  const [one, other] = await Promise.all([simulate('--seed', '25'), simulate('--seed', '25')])
  t.equal(one.code, 0)
  t.match(one.output, /seed 25: no invariant is broken/)
  t.ok(one.output.split('\n').length > 100, 'prints the history')
  t.equal(one.output, other.output)
})

t.test('a broken invariant is printed with its history and the command to replay it', async (t) => {
  const { code, output } = await simulate('--seeds', '5', '--mutant', 'ack-before-close')
  t.equal(code, 1)
  t.match(output, / broken\n/)
  t.match(output, /\d\.\d{3} {2}scenario +revoke \{/)
  t.match(output, /INVARIANT +\S+ .* after the receipt \S+ was complete/)
  t.match(output, /npm run simulate -- --seed \d+ --mutant ack-before-close\n$/)
})

t.test('parses options, and rejects invalid ones', async (t) => {
  t.match(parseOptions([]), { first: 1, seeds: 1000 })
  t.match(parseOptions(['--seed', '7']), { first: 7, seeds: 1 })
  t.match(parseOptions(['--seed', '7', '--seeds', '20']), { first: 7, seeds: 20 })
  for (const args of [['--seed', 'x'], ['--seeds', '0'], ['--mutant', 'none'], ['--what']]) {
    t.throws(() => parseOptions(args), { name: 'UsageError' })
  }
})
