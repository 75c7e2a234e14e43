import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { makeAuthority } from '@portcullis/local'
import t from 'tap'
import { WebSocketServer } from 'ws'
import { probe } from '../../src/doctor/probe.js'
import { dialNode, loadTls, useTls } from '../../src/installation/tls.js'

t.test('requests and sockets use the configured certificates', async (t) => {
  const authority = await makeAuthority('installation')
  const service = await authority.sign('server', 'service')
  const me = await authority.sign('client', 'me')
  const server = createServer(
    { ...service, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
    (_request, response) => response.end('{}'),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new WebSocketServer({ server })
  t.teardown(() => {
    for (const socket of sockets.clients) {
      socket.terminate()
    }
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const url = `https://127.0.0.1:${port}`

  const folder = t.testdir()
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const ca = file('ca.crt', authority.cert)
  const cert = file('me.crt', me.cert)
  const key = file('me.key', me.key)

  await loadTls()
  t.throws(() => useTls({ cert }), { code: 'usage' }, 'a certificate without its key')
  t.throws(() => useTls({ ca: join(folder, 'none') }), { code: 'failed' }, 'a missing file')
  await t.rejects(
    probe('auth', url, '/health'),
    { code: 'failed' },
    'the authority is not trusted yet',
  )
  useTls({ ca })
  await t.rejects(probe('auth', url, '/health'), { code: 'failed' }, 'no client certificate yet')

  useTls({ ca, cert, key })
  t.equal((await probe('auth', url, '/health')).status, 200)
  const arrived = once(sockets, 'connection')
  dialNode()(url.replace('https', 'wss'), 'token', () => {}, [])
  const [, request] = await arrived
  t.equal(request.headers.authorization, 'Bearer token')
})
