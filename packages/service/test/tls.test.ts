import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { type Certificate, makeAuthority } from '@portcullis/local'
import t from 'tap'
import { type ServerTls, serverTls } from '../src/tls.js'

const ours = await makeAuthority('ours')
const theirs = await makeAuthority('theirs')
const server = await ours.sign('server', 'auth')
const renewed = await ours.sign('server', 'auth')
const client = await ours.sign('client', 'node')
const stranger = await theirs.sign('client', 'node')
const settings = { TLS_CERT: server.cert, TLS_KEY: server.key }

/** Starts a server with these options, which greets each client after the handshake. */
async function listen(t: { teardown(end: () => void): void }, tls: ServerTls | undefined) {
  if (tls === undefined) {
    throw new Error('TLS is off')
  }
  const listening = createServer(tls, (socket) => socket.end('hello'))
  listening.on('tlsClientError', () => {})
  t.teardown(() => listening.close())
  await once(listening.listen(0, '127.0.0.1'), 'listening')
  return listening
}

/** Returns what a client receives, or the code of its error. */
function hear(
  listening: Awaited<ReturnType<typeof listen>>,
  more: Partial<Certificate> & { ca?: string; maxVersion?: 'TLSv1.1' },
): Promise<string> {
  const { port } = listening.address() as AddressInfo
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({
      port,
      host: '127.0.0.1',
      ca: ours.cert,
      ...(more.maxVersion === undefined ? {} : { minVersion: 'TLSv1' as const }),
      ...more,
    })
    let text = ''
    socket.on('data', (data) => {
      text += String(data)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.on('end', () => resolve(text))
  })
}

t.test('returns no options without a certificate', async (t) => {
  t.equal(serverTls({}), undefined)
})

t.test('names invalid settings, and shows no value', async (t) => {
  const wrong: [object, RegExp][] = [
    [{ TLS_CERT: server.cert }, /TLS_CERT and TLS_KEY go together/],
    [{ TLS_KEY: server.key }, /TLS_CERT and TLS_KEY go together/],
    [{ TLS_CLIENT_CA: ours.cert }, /TLS_CLIENT_CA needs TLS_CERT and TLS_KEY/],
    [{ TLS_CERT: server.cert, TLS_KEY: client.key }, /cannot be used/],
    [{ TLS_CERT: 'nonsense', TLS_KEY: 'a secret' }, /cannot be used/],
    [{ ...settings, TLS_CLIENT_CA: 'nonsense' }, /cannot be used/],
  ]
  for (const [given, message] of wrong) {
    t.throws(() => serverTls(given), { code: 'CONFIG_INVALID', message })
  }
  try {
    serverTls({ TLS_CERT: 'nonsense', TLS_KEY: 'a secret' })
  } catch (error) {
    t.notMatch(String(error), /secret/)
  }
})

t.test('serves clients that trust its certificate, with TLS 1.2 or newer', async (t) => {
  const listening = await listen(t, serverTls(settings))
  t.equal(await hear(listening, {}), 'hello')
  t.match(await hear(listening, { ca: theirs.cert }), /UNABLE_TO_VERIFY|SELF_SIGNED/)
  t.not(await hear(listening, { maxVersion: 'TLSv1.1' }), 'hello')
})

t.test('with TLS_CLIENT_CA, requires a client certificate that the CA has signed', async (t) => {
  const listening = await listen(t, serverTls({ ...settings, TLS_CLIENT_CA: ours.cert }))
  t.equal(await hear(listening, client), 'hello')
  // With TLS 1.3 a refused client may see only the end of the connection.
  t.not(await hear(listening, {}), 'hello')
  t.not(await hear(listening, stranger), 'hello')
  t.not(await hear(listening, server), 'hello', 'a server certificate does not identify a client')
})

t.test('uses a renewed certificate, and still requires client certificates', async (t) => {
  const listening = await listen(t, serverTls({ ...settings, TLS_CLIENT_CA: ours.cert }))
  const next = serverTls({
    TLS_CERT: renewed.cert,
    TLS_KEY: renewed.key,
    TLS_CLIENT_CA: theirs.cert,
  })
  listening.setSecureContext(next ?? {})
  t.not(await hear(listening, {}), 'hello')
  t.not(await hear(listening, client), 'hello')
  t.equal(await hear(listening, stranger), 'hello')
})
