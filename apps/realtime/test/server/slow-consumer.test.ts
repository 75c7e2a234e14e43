import { Socket } from 'node:net'
import t from 'tap'
import { connected } from '../fixtures/dial.js'
import { frame, opcodes, RawSocket, upgradeRequest } from '../fixtures/raw-socket.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  SEND_BUFFER_BYTES: '262144',
  PING_INTERVAL_MS: '3600000',
})

t.test('closes a client that does not read with 3008 and frees its buffer', async (t) => {
  const raw = await RawSocket.dial(t, node.port)
  raw.send(
    Buffer.from(upgradeRequest(node.port, auth.issue({ subject: 'slow' }))),
    frame(opcodes.text, '{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"news"}}'),
  )
  await raw.head()
  for (let payload = ''; !payload.includes('"id":2'); ) {
    const next = await raw.next()
    if (next === undefined) {
      throw new Error('the server closed before the subscription')
    }
    payload = String(next.payload)
  }
  const reset = new Promise((resolve) => raw.socket.once('close', resolve))
  raw.socket.pause()
  const [slow] = node.app.websocketServer.clients
  const serverSide: unknown = slow && Reflect.get(slow, '_socket')
  if (!(serverSide instanceof Socket)) {
    throw new Error('the server has no socket for the client')
  }
  const reader = await connected(node.wsUrl, auth.issue({ subject: 'reader' }))
  await reader.call({ id: 2, subscribe: { channel: 'news' } })
  const publisher = await connected(node.wsUrl, auth.issue({ subject: 'publisher' }))
  const data = 'x'.repeat(50_000)
  const slowCloses = 'portcullis_realtime_disconnects_total{code="3008"}'
  let sent = 0
  while ((await node.metric(slowCloses)) === 0) {
    await publisher.call({ id: 3 + sent, publish: { channel: 'news', data } })
    sent += 1
    if (sent === 2000) {
      throw new Error('sent 100 MB to a client that does not read')
    }
  }
  t.ok(sent * data.length < 30_000_000, `${sent} publications until the close`)
  t.equal(await node.metric('portcullis_realtime_connections'), 2)
  t.equal(await node.metric('portcullis_realtime_subscriptions'), 1)
  for (let heard = 0; heard < sent; heard += 1) {
    const message = await reader.next()
    t.match(message, { push: { channel: 'news', pub: { data } } }, 'a reader receives every one')
  }
  // After the close deadline the node drops the bytes in its own buffer and those in the kernel.
  const written = serverSide.bytesWritten - serverSide.writableLength
  while (node.app.websocketServer.clients.size > 2) {
    await new Promise(setImmediate)
  }
  raw.socket.resume()
  await reset
  t.ok(raw.socket.bytesRead < written, `${raw.socket.bytesRead} of ${written} bytes`)
})
