import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { defined } from '@portcullis/contracts/defined'
import { makeAuthority } from '@portcullis/local'
import t from 'tap'
import { WebSocketServer } from 'ws'
import { AuthHttp } from '../../src/auth/auth-http.js'
import { createDial } from '../../src/feed/dial.js'
import { checkOptions, type GateTls } from '../../src/options.js'

const ours = await makeAuthority('ours')
const theirs = await makeAuthority('theirs')
const server = await ours.sign('server', 'auth')
const client = await ours.sign('client', 'node')
const stranger = await theirs.sign('client', 'node')

const required = { identity: 'node', registrationCode: 'code' }
const options = (authUrl: string, tls?: GateTls) =>
  checkOptions({ authUrl, credentials: required, ...defined({ tls }) })

/** Starts an HTTPS and WebSocket server in place of auth, which requires client certificates of `ours`. */
async function listen(t: { teardown(end: () => void): void }): Promise<string> {
  const listening = createServer(
    { ...server, ca: ours.cert, requestCert: true, rejectUnauthorized: true },
    (_request, response) => response.end('{"heard":true}'),
  )
  listening.on('tlsClientError', () => {})
  new WebSocketServer({ server: listening }).on('connection', (socket) => socket.close(1000))
  t.teardown(() => {
    listening.close()
    listening.closeAllConnections()
  })
  await once(listening.listen(0, '127.0.0.1'), 'listening')
  return `https://127.0.0.1:${(listening.address() as AddressInfo).port}`
}

async function reach(t: { teardown(end: () => Promise<void>): void }, url: string, tls?: GateTls) {
  const { authUrl, feedUrl, timeoutMs, tls: checked } = options(url, tls)
  const http = new AuthHttp(authUrl, timeoutMs, checked)
  t.teardown(() => http.close())
  const posted = await http.post('/', { authorization: 'Bearer secret' }, '').then(
    ({ status }) => status,
    (error: NodeJS.ErrnoException) => error.code,
  )
  const feed = await new Promise((resolve) => {
    const socket = createDial(checked)(feedUrl, 'secret', timeoutMs)
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    socket.on('close', (code: number) => resolve(code))
  })
  return { posted, feed }
}

t.test('reaches auth with its client certificate and its CA', async (t) => {
  const url = await listen(t)
  t.same(await reach(t, url, { ca: ours.cert, ...client }), { posted: 200, feed: 1000 })
})

t.test('sends nothing to a server that its CA has not signed', async (t) => {
  const url = await listen(t)
  for (const tls of [undefined, client, { ca: theirs.cert, ...client }]) {
    const { posted, feed } = await reach(t, url, tls)
    for (const why of [posted, feed]) {
      t.match(String(why), /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT/)
    }
  }
})

t.test('a server that requires client certificates refuses a missing or foreign one', async (t) => {
  const url = await listen(t)
  for (const tls of [{ ca: ours.cert }, { ca: ours.cert, ...stranger }]) {
    const { posted, feed } = await reach(t, url, tls)
    for (const why of [posted, feed]) {
      t.match(String(why), /CERTIFICATE_REQUIRED|UNKNOWN_CA|ECONNRESET|UND_ERR_SOCKET|EPIPE/)
    }
  }
})

t.test('rejects invalid TLS options', async (t) => {
  const wrong: [string, GateTls, RegExp][] = [
    ['http://auth', { ca: ours.cert }, /authUrl must be https/],
    ['https://auth', { cert: client.cert }, /go together/],
    ['https://auth', { key: client.key }, /go together/],
    ['https://auth', { cert: client.cert, key: server.key }, /cannot be used/],
    ['https://auth', { ca: 'nonsense' }, /cannot be used/],
  ]
  for (const [url, tls, message] of wrong) {
    t.throws(() => options(url, tls), { code: 'bad_options', message })
  }
  t.equal(options('http://auth', { ca: undefined }).tls, undefined)
})
