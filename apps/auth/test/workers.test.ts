import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { testRedis } from '@portcullis/local'
import t, { type Test } from 'tap'

// Many processes start here; a busy machine needs its time for that.
t.setTimeout(300_000)

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** Starts auth on an empty registry, with several workers. Resolves when all of them serve. */
async function start(t: Test, environment: Record<string, string>) {
  const redis = await testRedis(t)
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env['PATH'],
      REDIS_URL: redis.url,
      REDIS_PREFIX: redis.prefix,
      PORT: '0',
      SHUTDOWN_DELAY_MS: '0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const wrote = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(output)
      if (found !== null) {
        return found
      }
      if (child.exitCode !== null) {
        throw new Error(`ended without ${pattern}: ${output}`)
      }
      await Promise.race([once(child.stdout, 'data'), ended])
    }
  }
  await wrote(/"all workers serve"/)
  const [, url = ''] = await wrote(/listening at (http:[^"]+)/)
  return { child, ended, url, output: () => output, wrote }
}

// One connection for each request: the next one reaches another worker.
const headers = { connection: 'close' }

t.test('workers share the administrator and the keys, also those of the first start', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-workers-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'admin.json')
  const { child, ended, url, output, wrote } = await start(t, {
    WORKERS: '3',
    ADMIN_CODE_FILE: file,
  })
  const made = [...output().matchAll(/made the administrator/g)]
  t.equal(made.length, 1, 'one worker makes the administrator')
  const { identity, registrationCode } = JSON.parse(readFileSync(file, 'utf8'))
  const basic = Buffer.from(`${identity}:${registrationCode}`).toString('base64')
  const tokens: string[] = []
  for (let n = 0; n < 6; n += 1) {
    const issued = await fetch(`${url}/oauth/token`, {
      method: 'POST',
      headers: { ...headers, authorization: `Basic ${basic}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    t.equal(issued.status, 200, 'the code in the file is that of the administrator')
    tokens.push(Object(await issued.json()).access_token)
  }
  const keys = async () => (await fetch(`${url}/.well-known/jwks.json`, { headers })).text()
  const before = await keys()
  for (let n = 0; n < 6; n += 1) {
    t.equal(await keys(), before, 'all have the same keys')
  }
  const [, pid] = await wrote(/"pid":(\d+),"hostname":"[^"]*","worker":2,/)
  process.kill(Number(pid), 'SIGKILL')
  await wrote(/"worker":2,"how":"SIGKILL"/)
  for (let n = 0; n < 3; n += 1) {
    const answer = await fetch(`${url}/v1/keys`, {
      headers: { ...headers, authorization: `Bearer ${tokens[n]}` },
    })
    t.equal(answer.status, 200, 'the others continue, with tokens from any worker')
  }
  await wrote(/"how":"SIGKILL".*?"worker":2,[^\n]*listening at/s)
  const { kid } = JSON.parse(before).keys[0]
  const revoked = await fetch(`${url}/v1/keys/${kid}/revoke`, {
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${tokens[0]}` },
  })
  t.equal(revoked.status, 201)
  // Workers learn of it by a message; six answers in a row come from all of them.
  for (let changed = 0; changed < 6; ) {
    changed = (await keys()) === before ? 0 : changed + 1
  }
  child.kill('SIGTERM')
  t.same(await ended, [0, null], 'all stop in order')
})
