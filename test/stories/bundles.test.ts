import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { startAuth, startRealtime, testRedis } from '@portcullis/local'
import t, { type Test } from 'tap'

// Folders without node_modules: a bundle has to bring everything along.
const checkout = fileURLToPath(new URL('../../', import.meta.url))

/** Returns a copy of the folder, outside the checkout. */
function copy(t: Test, folder: string): string {
  const place = mkdtempSync(join(tmpdir(), 'portcullis-bundle-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  cpSync(folder, place, { recursive: true })
  return place
}

/** Returns the program of a copied bundle. `test/images` starts what the images hold. */
function copiedProgram(t: Test, app: 'auth' | 'realtime' | 'cli'): string {
  return join(copy(t, join(checkout, 'apps', app, 'bundle')), 'main.mjs')
}

t.test('auth, a node and the command line run from copied bundles', async (t) => {
  const redis = await testRedis(t)
  const shared = { redisUrl: redis.url, prefix: redis.prefix }
  const auth = await startAuth({
    ...shared,
    env: { INTERNAL_PORT: '0' },
    program: copiedProgram(t, 'auth'),
  })
  t.teardown(() => auth.stop())
  const realtime = await startRealtime({
    ...shared,
    authUrl: auth.url,
    credentials: auth.admin,
    program: copiedProgram(t, 'realtime'),
  })
  t.teardown(() => realtime.stop())

  // The page of the API is the only part of a bundle that consists of files.
  const page = await fetch(`${auth.url}/docs/static/swagger-ui.css`)
  t.equal(page.status, 200)
  await page.text()

  const program = copiedProgram(t, 'cli')
  const portcullis = async (...args: string[]) => {
    const child = spawn(process.execPath, [program, ...args], {
      env: {
        PATH: process.env['PATH'],
        PORTCULLIS_AUTH_URL: auth.url,
        PORTCULLIS_REALTIME_URL: realtime.url,
        PORTCULLIS_IDENTITY: auth.admin.identity,
        PORTCULLIS_REGISTRATION_CODE: auth.admin.registrationCode,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [output, errors, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    t.equal(code, 0, `${args.join(' ')}: ${errors}`)
    return output
  }
  t.match(await portcullis('publish', 'news', '"hello"'), 'published into news')
  const issued: { jti: string } = JSON.parse(
    await portcullis('token', 'issue', '--subject', 'bob', '--scope', 'subscribe:news', '--json'),
  )
  t.match(await portcullis('revoke', '--jti', issued.jti, '--yes'), 'complete')
  t.match(await portcullis('completion', 'bash'), 'complete')
})
