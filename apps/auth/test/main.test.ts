import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { auth, redisUrl } from './fixtures/auth.js'
import { listen } from './fixtures/node.js'
import { freePort } from './fixtures/replicated-redis.js'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** Starts the built service as a process, without tap's module loader hooks. */
function start(environment: Record<string, string>) {
  const child = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      SHUTDOWN_DELAY_MS: '0',
      REDIS_URL: redisUrl(),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  child.stderr.on('data', (data) => {
    errors += data
  })
  return { child, output: () => output, errors: () => errors, exit: once(child, 'close') }
}

t.test('serves, and exits with 0 on SIGTERM', async (t) => {
  const { prefix, admin } = await auth(t)
  const code = admin.registrationCode
  const internal = await freePort()
  const run = start({
    REDIS_PREFIX: prefix,
    PORT: '0',
    INTERNAL_PORT: `${internal}`,
    ADMIN_REGISTRATION_CODE: code,
  })
  t.teardown(async () => run.child.kill('SIGKILL'))
  let url: string | undefined
  while (url === undefined) {
    await Promise.race([once(run.child.stdout, 'data'), run.exit])
    if (run.child.exitCode !== null) {
      throw new Error(run.errors())
    }
    const urls = [...run.output().matchAll(/listening at (http:[^"]+)/g)].map(([, one]) => one)
    url = urls.find((one) => one !== `http://127.0.0.1:${internal}`)
  }
  t.equal((await fetch(`${url}/ready`)).status, 200)
  t.equal((await fetch(`${url}/metrics`)).status, 404)
  const metrics = await fetch(`http://127.0.0.1:${internal}/metrics`)
  t.match(await metrics.text(), 'portcullis_')
  run.child.kill('SIGTERM')
  t.same(await run.exit, [0, null])
  t.equal(run.errors(), '')
})

t.test(
  'a taken port, an invalid setting or a missing Redis prints one line and exits with 1',
  async (t) => {
    const self = await auth(t)
    const { port } = new URL(await listen(self))
    const code = self.admin.registrationCode
    const base = { REDIS_PREFIX: self.prefix, ADMIN_REGISTRATION_CODE: code }
    const cases = [
      [{ ...base, PORT: port }, new RegExp(`^cannot start: port ${port} is taken`)],
      [
        { ...base, PORT: '0', INTERNAL_PORT: port },
        new RegExp(`^cannot start: port ${port} is taken; .*INTERNAL_PORT$`),
      ],
      [{ ...base, PORT: 'x' }, /^cannot start: PORT must be a whole number$/],
      [
        { ...base, PORT: '0', REDIS_URL: 'redis://127.0.0.1:1' },
        /^cannot start: Redis cannot be reached/,
      ],
      [{ ...base, PORT: '0', PARTITIONS: '3' }, /^cannot start: .*PARTITIONS=1/],
    ] as const
    await Promise.all(
      cases.map(async ([environment, message]) => {
        const run = start(environment)
        t.same(await run.exit, [1, null])
        t.match(run.errors().trim(), message)
        t.equal(run.errors().trim().split('\n').length, 1, run.errors())
      }),
    )
  },
)
