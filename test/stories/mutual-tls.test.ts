import { spawn } from 'node:child_process'
import { randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { type Certificate, makeAuthority, startRealtime, testRedis } from '@portcullis/local'
import t, { type Test } from 'tap'
import { Client } from 'undici'
import { ProtocolClient } from './protocol-client.js'

const bin = fileURLToPath(new URL('../../apps/cli/bin/portcullis.js', import.meta.url))
const authMain = fileURLToPath(new URL('../../apps/auth/dist/main.js', import.meta.url))

/** Starts an auth process with TLS; `line` waits for a line in its log. */
async function startTlsAuth(t: Test, env: Record<string, string>) {
  const child = spawn(process.execPath, [authMain], {
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', SHUTDOWN_DELAY_MS: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(async () => {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done === true) {
        throw new Error(`auth ended before it logged ${pattern}`)
      }
      const [found] = pattern.exec(value) ?? []
      if (found !== undefined) {
        return found
      }
    }
  }
  const url = await line(/https:\/\/127\.0\.0\.1:\d+/)
  return { url, line, hangUp: () => child.kill('SIGHUP') }
}

/** Calls the API of auth; returns the parsed response. */
async function call(client: Client, path: string, headers: Record<string, string>, body: string) {
  const answer = await client.request({ method: 'POST', path, headers, body })
  return (await answer.body.json()) as Record<string, string> & { complete?: boolean }
}

/** Returns the serial number of a server's current certificate. */
async function shownBy(url: string, tls: Certificate & { ca: string }): Promise<string> {
  const { hostname: host, port } = new URL(url)
  const socket = connect({ host, port: Number(port), ...tls })
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}

/** Runs `portcullis nodes --json`. */
async function cli(cwd: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [bin, 'nodes', '--json'], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, XDG_CONFIG_HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [stdout] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return { code: child.exitCode, stdout }
}

t.test('auth, a node and the command line authenticate each other by certificates', async (t) => {
  const authority = await makeAuthority('installation')
  const server = await authority.sign('server', 'auth')
  const node = { ca: authority.cert, ...(await authority.sign('client', 'realtime')) }
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-tls-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = (name: string) => join(folder, name)
  const write = async ({ cert, key }: Certificate) => {
    await writeFile(file('cert.pem'), cert)
    await writeFile(file('key.pem'), key, { mode: 0o600 })
  }
  await write(server)
  const redis = await testRedis(t)
  const code = randomBytes(32).toString('base64url')
  const auth = await startTlsAuth(t, {
    REDIS_URL: redis.url,
    REDIS_PREFIX: redis.prefix,
    ADMIN_REGISTRATION_CODE: code,
    TLS_CERT_FILE: file('cert.pem'),
    TLS_KEY_FILE: file('key.pem'),
    TLS_CLIENT_CA: authority.cert,
  })

  const admin = new Client(auth.url, { connect: node })
  t.teardown(() => admin.close())
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const basic = `Basic ${Buffer.from(`admin:${code}`).toString('base64')}`
  const { access_token } = await call(
    admin,
    '/oauth/token',
    { ...form, authorization: basic },
    'grant_type=client_credentials',
  )
  const json = { 'content-type': 'application/json', authorization: `Bearer ${access_token}` }
  const post = (path: string, body: object) => call(admin, path, json, JSON.stringify(body))
  const scopes = ['introspect', 'feed']
  const { registrationCode = '' } = await post('/v1/identities', { identity: 'realtime', scopes })
  // Ready only with its own token and the feed, both over TLS.
  const realtime = await startRealtime({
    redisUrl: redis.url,
    prefix: redis.prefix,
    authUrl: auth.url,
    credentials: { identity: 'realtime', registrationCode },
    env: { AUTH_CA: node.ca, AUTH_CERT: node.cert, AUTH_KEY: node.key },
  })
  t.teardown(() => realtime.stop())

  // The command line reads its certificates from files.
  for (const [name, pem] of Object.entries({ ca: node.ca, me: node.cert, key: node.key })) {
    await writeFile(file(name), pem, { mode: 0o600 })
  }
  await writeFile(file('admin.code'), code, { mode: 0o600 })
  const settings = {
    PORTCULLIS_AUTH_URL: auth.url,
    PORTCULLIS_IDENTITY: 'admin',
    PORTCULLIS_REGISTRATION_CODE_FILE: file('admin.code'),
    PORTCULLIS_CA_FILE: file('ca'),
  }
  const shown = { PORTCULLIS_CERT_FILE: file('me'), PORTCULLIS_KEY_FILE: file('key') }
  t.match(await cli(folder, { ...settings, ...shown }), { code: 0, stdout: /"connected": ?true/ })
  t.match(await cli(folder, settings), { code: 1 }, 'refused without a certificate')

  const { access_token: ada = '' } = await post('/v1/tokens', {
    subject: 'ada',
    scope: 'subscribe:*',
  })
  const client = await ProtocolClient.open(realtime.wsUrl, ada)
  t.notOk((await client.command({ subscribe: { channel: 'demo:hello' } })).error, 'admitted')
  const receipt = await post('/v1/revocations', { identity: 'admin', subject: 'ada', wait: 5000 })
  t.equal(receipt.complete, true)
  t.same(await client.closed, { code: 4500, reason: 'token revoked' })

  const { headers } = await admin.request({ method: 'GET', path: '/health' })
  t.match(headers['strict-transport-security'], /^max-age=/)

  const renewed = await authority.sign('server', 'auth')
  t.equal(await shownBy(auth.url, node), new X509Certificate(server.cert).serialNumber)
  await write(renewed)
  auth.hangUp()
  await auth.line(/TLS certificate read again/)
  t.equal(await shownBy(auth.url, node), new X509Certificate(renewed.cert).serialNumber)
})
