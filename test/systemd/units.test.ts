import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleOf, startAuth, startRealtime, testRedis } from '@portcullis/local'
import t from 'tap'
import { findProgram } from '../interop/find-program.js'

const analyze = findProgram('systemd-analyze')
const skip = analyze === undefined ? 'systemd-analyze is not installed' : false
const units = ['auth', 'realtime'] as const

const textOf = (unit: string) =>
  readFileSync(
    fileURLToPath(new URL(`../../infra/systemd/portcullis-${unit}.service`, import.meta.url)),
    'utf8',
  )

/** Returns the values of a setting of the unit, in order. */
const valuesOf = (text: string, setting: string) =>
  [...text.matchAll(new RegExp(`^${setting}=(.*)$`, 'gm'))].map(([, value = '']) => value)

/** Returns the environment of the unit; its credentials are files in `credentials`. */
function environmentOf(text: string, credentials: string): Record<string, string> {
  return Object.fromEntries(
    valuesOf(text, 'Environment')
      .flatMap((line) => line.split(' '))
      .map((pair) => {
        const at = pair.indexOf('=')
        return [pair.slice(0, at), pair.slice(at + 1).replace('%d', credentials)]
      }),
  )
}

/** Returns the names of the credentials of the unit. */
const credentialsOf = (text: string) =>
  valuesOf(text, 'LoadCredential').map((line) => line.split(':')[0] ?? '')

for (const unit of units) {
  t.test(
    `systemd accepts the unit of ${unit}, and finds its sandbox tight`,
    { skip },
    async (t) => {
      const dir = mkdtempSync(join(tmpdir(), 'portcullis-systemd-'))
      t.teardown(() => rmSync(dir, { recursive: true, force: true }))
      const file = join(dir, `portcullis-${unit}.service`)
      writeFileSync(file, textOf(unit).replace('/usr/bin/node', process.execPath))
      const verified = spawnSync(analyze ?? '', ['verify', file], { encoding: 'utf8' })
      t.equal(verified.stderr, '')
      t.equal(verified.status, 0)
      // Tenths: 1.5 of 10.
      const args = ['security', '--offline=true', '--no-pager', '--threshold=15', file]
      const rated = spawnSync(analyze ?? '', args, { encoding: 'utf8' })
      t.equal(rated.status, 0, rated.stdout.slice(-200))
    },
  )

  t.test(`systemd waits longer than ${unit} may take to stop`, async (t) => {
    const text = textOf(unit)
    const { SHUTDOWN_DELAY_MS: delay, CLOSE_DEADLINE_MS: deadline } = environmentOf(text, '')
    const seconds = Number(valuesOf(text, 'TimeoutStopSec')[0])
    t.ok(seconds * 1000 >= Number(delay) + Number(deadline) + 3000)
  })
}

t.test('both services start with the environment of their units', async (t) => {
  const credentials = mkdtempSync(join(tmpdir(), 'portcullis-credentials-'))
  t.teardown(() => rmSync(credentials, { recursive: true, force: true }))
  const redis = await testRedis(t)
  const secrets: Readonly<Record<string, string>> = {
    'redis-url': redis.url,
    'admin-registration-code': randomBytes(32).toString('base64url'),
    'key-encryption-secret': randomBytes(32).toString('base64url'),
  }
  for (const name of credentialsOf(textOf('auth'))) {
    writeFileSync(join(credentials, name), secrets[name] ?? '')
  }
  const ours = { SHUTDOWN_DELAY_MS: '0' }
  const auth = await startAuth({
    redisUrl: '',
    prefix: redis.prefix,
    program: bundleOf('auth'),
    env: {
      ADMIN_REGISTRATION_CODE: '',
      KEY_ENCRYPTION_SECRET: '',
      ...environmentOf(textOf('auth'), credentials),
      ...ours,
    },
  })
  t.teardown(() => auth.stop())
  // The administrator may do what a node does.
  const code = secrets['admin-registration-code'] ?? ''
  const known: Readonly<Record<string, string>> = { ...secrets, 'registration-code': code }
  for (const name of credentialsOf(textOf('realtime'))) {
    writeFileSync(join(credentials, name), known[name] ?? '')
  }
  const realtime = await startRealtime({
    redisUrl: '',
    prefix: `${redis.prefix}-nodes`,
    authUrl: auth.url,
    credentials: { identity: 'admin', registrationCode: '' },
    program: bundleOf('realtime'),
    env: { ...environmentOf(textOf('realtime'), credentials), ...ours },
  })
  t.teardown(() => realtime.stop())
  t.equal((await fetch(`${realtime.url}/ready`)).status, 200)
})
