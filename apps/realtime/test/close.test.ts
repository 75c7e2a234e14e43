import { once } from 'node:events'
import { connect as dialTcp } from 'node:net'
import t from 'tap'
import { connected, dial } from './fixtures/dial.js'
import { randomPrefix, realtimeNode } from './fixtures/realtime-node.js'
import { scriptedAuth } from './fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const environment = { AUTH_URL: auth.url, REDIS_PREFIX: randomPrefix() }

t.test('closes every connection with a code, within its deadline, and once', async (t) => {
  const node = await realtimeNode(t, environment)
  const token = auth.issue()
  const peers = await Promise.all(Array.from({ length: 20 }, () => connected(node.wsUrl, token)))
  const silent = dial(node.wsUrl, token)
  await once(silent.socket, 'open')
  const started = performance.now()
  await Promise.all([node.app.close(), node.app.close()])
  t.ok(performance.now() - started < 1500)
  for (const peer of [...peers, silent]) {
    t.same(await peer.closed, { code: 3001, reason: 'shutdown' })
  }
})

t.test('a client that does not answer the close is cut', async (t) => {
  const node = await realtimeNode(t, environment)
  const peer = await connected(node.wsUrl, auth.issue())
  peer.socket.pause()
  const started = performance.now()
  await node.app.close()
  t.ok(performance.now() - started < 1500, 'the deadline is 500 ms')
})

t.test('while it closes it admits nobody, and leaves no refused socket open', async (t) => {
  const node = await realtimeNode(t, environment)
  const token = auth.issue()
  const peer = await connected(node.wsUrl, token)
  peer.socket.pause()
  const kept = dialTcp(node.port, '127.0.0.1')
  await once(kept, 'connect')
  const before = dialTcp(node.port, '127.0.0.1')
  await once(before, 'connect')
  const closing = node.app.close()
  before.write(
    [
      'GET /connection/websocket HTTP/1.1',
      'Host: x',
      'Connection: Upgrade',
      'Upgrade: websocket',
      '',
      '',
    ].join('\r\n'),
  )
  let answer = ''
  for await (const chunk of before) answer += chunk
  t.match(answer, /^HTTP\/1\.1 503 /)
  kept.destroy()
  await closing
  t.equal((await dial(node.wsUrl, token).closed).code, 1006, 'nothing listens any more')
  peer.socket.terminate()
})
