import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { ProfileFlags } from '../../src/installation/places.js'
import { loadProfile as load } from '../../src/installation/profile.js'
import { readCode } from '../../src/installation/read-code.js'
import type { Environment } from '../../src/terminal/shell.js'
import { shellOf } from '../fixtures/run.js'

const loadProfile = (cwd: string, env: Environment, flags: ProfileFlags) =>
  load({ cwd, env, configDir: join(cwd, 'no-config') }, flags)

/** Returns the caller's identity and registration code. */
async function credentials(cwd: string, env: Environment, flags: ProfileFlags = {}) {
  const { caller } = loadProfile(cwd, env, flags)
  if (caller === undefined) {
    return undefined
  }
  const { identity, code } = caller
  return { identity, registrationCode: await readCode(code, identity, shellOf({ cwd, env })) }
}

const local = (changes: object = {}) =>
  JSON.stringify({
    auth: 'http://127.0.0.1:4000',
    realtime: ['http://127.0.0.1:8000', 'http://127.0.0.1:8001'],
    redis: 'redis://127.0.0.1:6379',
    pids: { auth: 1, realtime: [2, 3] },
    admin: { identity: 'admin', registrationCode: 'local-code' },
    ...changes,
  })

const environment = {
  PORTCULLIS_AUTH_URL: 'https://auth.example/base/',
  PORTCULLIS_REALTIME_URL: 'wss://a.example/connection/websocket,https://b.example/rt',
  PORTCULLIS_IDENTITY: 'shop',
  PORTCULLIS_REGISTRATION_CODE: 'env-code',
}

t.test('finds local.json in the directory or a parent; it precedes the environment', async (t) => {
  const dir = t.testdir({ '.portcullis': { 'local.json': local() }, a: { b: {} } })
  for (const cwd of [dir, join(dir, 'a', 'b')]) {
    const profile = loadProfile(cwd, {}, {})
    t.equal(profile.auth, 'http://127.0.0.1:4000')
    t.equal(profile.realtime[1]?.socket, 'ws://127.0.0.1:8001/connection/websocket')
    t.same(await credentials(cwd, {}), { identity: 'admin', registrationCode: 'local-code' })
    t.same(profile.notes, [])
  }
  const both = loadProfile(dir, environment, {})
  t.equal(both.auth, 'http://127.0.0.1:4000')
  t.match(both.notes, [/using \S+local\.json; ignoring PORTCULLIS_AUTH_URL/])
})

t.test('uses the nearest local.json', async (t) => {
  const dir = t.testdir({
    '.portcullis': { 'local.json': local() },
    inner: { '.portcullis': { 'local.json': local({ auth: 'http://127.0.0.1:5000' }) } },
  })
  t.equal(loadProfile(join(dir, 'inner'), {}, {}).auth, 'http://127.0.0.1:5000')
})

t.test('uses the environment without local.json', async (t) => {
  const profile = loadProfile(t.testdir(), environment, {})
  t.equal(profile.auth, 'https://auth.example/base')
  t.same(profile.realtime, [
    { api: 'https://a.example', socket: 'wss://a.example/connection/websocket' },
    { api: 'https://b.example/rt', socket: 'wss://b.example/rt/connection/websocket' },
  ])
  t.same(await credentials(t.testdir(), environment), {
    identity: 'shop',
    registrationCode: 'env-code',
  })
})

t.test('reads a registration code from a file', async (t) => {
  const dir = t.testdir({ code: ' file-code\n', empty: '\n' })
  const env = { PORTCULLIS_IDENTITY: 'shop', PORTCULLIS_REGISTRATION_CODE_FILE: join(dir, 'code') }
  t.equal((await credentials(dir, env))?.registrationCode, 'file-code')
  for (const name of ['empty', 'missing']) {
    const broken = { ...env, PORTCULLIS_REGISTRATION_CODE_FILE: join(dir, name) }
    await t.rejects(credentials(dir, broken), { code: 'failed', message: new RegExp(name) })
  }
})

t.test('uses the default URLs and no identity when nothing is set', async (t) => {
  const profile = loadProfile(t.testdir(), { PORTCULLIS_AUTH_URL: '' }, {})
  t.equal(profile.auth, 'http://127.0.0.1:4000')
  t.equal(profile.realtime[0]?.api, 'http://127.0.0.1:8000')
  t.equal(profile.caller, undefined)
})

t.test("never sends the local administrator's code to another --auth", async (t) => {
  const dir = t.testdir({ '.portcullis': { 'local.json': local() } })
  const elsewhere = { auth: 'https://elsewhere.example' }
  const fromEnvironment = { identity: 'shop', registrationCode: 'env-code' }
  t.same(await credentials(dir, environment, elsewhere), fromEnvironment)
  t.equal(await credentials(dir, {}, elsewhere), undefined)
  const same = await credentials(dir, {}, { auth: 'http://127.0.0.1:4000/' })
  t.equal(same?.identity, 'admin', '--auth with the same URL keeps the code')
})

t.test('names an invalid local.json without showing its content', async (t) => {
  const broken = { text: '{"admin":', shape: local({ admin: { identity: 'admin' } }) }
  for (const [name, content] of Object.entries(broken)) {
    const dir = t.testdir({ [name]: { '.portcullis': { 'local.json': content } } })
    const load = () => loadProfile(join(dir, name), {}, {})
    t.throws(load, { code: 'failed', message: /local\.json .*npm start/ })
  }
  const dir = t.testdir({})
  mkdirSync(join(dir, '.portcullis', 'local.json'), { recursive: true })
  t.throws(() => loadProfile(dir, {}, {}), { message: /EISDIR/ })
})

t.test('rejects invalid URLs', async (t) => {
  const dir = t.testdir()
  t.throws(() => loadProfile(dir, {}, { auth: 'localhost:4000' }), { code: 'usage' })
  t.throws(() => loadProfile(dir, {}, { auth: 'ws://127.0.0.1:4000' }), { code: 'usage' })
  t.throws(() => loadProfile(dir, {}, { realtime: 'ftp://a' }), { code: 'usage' })
})
