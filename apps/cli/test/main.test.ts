import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { installation } from './fixtures/installation.js'
import { bin, runBin } from './fixtures/run-bin.js'

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} ends connect with exit code 0`, async (t) => {
    const { cwd } = await installation(t, {})
    const { code, stderr } = await runBin(['connect', 'demo:x'], { cwd }, (child) => {
      child.stderr?.on('data', (data) => {
        if (String(data).includes('subscribed')) {
          child.kill(signal)
        }
      })
    })
    t.equal(code, 0, stderr)
  })
}

t.test('has exit code 3 when the server closes, 2 for wrong usage', async (t) => {
  const { cwd } = await installation(t, {
    onSubscribe: (socket) => socket.close(4500, 'token revoked'),
  })
  const closed = await runBin(['connect', 'demo:x'], { cwd })
  t.equal(closed.code, 3)
  t.match(closed.stderr, 'portcullis: closed 4500 token revoked\n')
  t.equal((await runBin(['fly'], { cwd })).code, 2)
})

t.test('--version and -V print the version of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  for (const args of [['--version'], ['-V'], ['nodes', '-V']]) {
    const { code, stdout } = await runBin(args, { cwd: t.testdir() })
    t.equal(code, 0)
    t.equal(stdout, `${version}\n`)
  }
})

t.test('reads a token from a pipe', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: { 'POST /oauth/introspect': { body: { active: false } } },
  })
  const { code, stdout, stderr } = await runBin(['token', 'introspect'], { cwd, stdin: 'a.b.c\n' })
  t.equal(code, 0, stderr)
  t.equal(stdout, 'inactive\n')
  t.equal(asked.at(-1)?.body, 'token=a.b.c')
})

t.test('has exit code 0 when the reader closes the pipe', async (t) => {
  const { cwd } = await installation(t, { routes: { 'GET /v1/nodes': { body: { nodes: [] } } } })
  const child = spawn(process.execPath, [bin, 'nodes'], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { HOME: cwd },
  })
  child.stdout.destroy()
  await once(child, 'close')
  t.equal(child.exitCode, 0)
})
