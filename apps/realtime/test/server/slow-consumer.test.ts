import { once } from 'node:events'
import type { Socket } from 'node:net'
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

t.test('who does not read is closed with 3008, and what waited for it is let go', async (t) => {
  const raw = await RawSocket.dial(t, node.port)
  raw.send(
    Buffer.from(upgradeRequest(node.port, auth.issue({ subject: 'slow' }))),
    frame(opcodes.text, '{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"news"}}'),
  )
  await raw.head()
  while (!String((await raw.next())?.payload).includes('"id":2')) {}
  raw.socket.pause()
  const [slow] = node.app.websocketServer.clients
  const ours = Reflect.get(slow ?? {}, '_socket') as Socket
  const reader = await connected(node.wsUrl, auth.issue({ subject: 'reader' }))
  await reader.call({ id: 2, subscribe: { channel: 'news' } })
  const publisher = await connected(node.wsUrl, auth.issue({ subject: 'publisher' }))
  const data = 'x'.repeat(50_000)
  const slowCloses = 'realtime_disconnects_total{code="3008"}'
  let sent = 0
  while ((await node.metric(slowCloses)) === 0) {
    await publisher.call({ id: 3 + sent, publish: { channel: 'news', data } })
    sent += 1
    if (sent === 2000) {
      throw new Error('100 MB have been sent to somebody who does not read')
    }
  }
  t.ok(sent * data.length < 30_000_000, `${sent} publications until then`)
  t.equal(await node.metric('realtime_connections'), 2)
  t.equal(await node.metric('realtime_subscriptions'), 1)
  for (let heard = 0; heard < sent; heard += 1) {
    const { push } = (await reader.next()) as { push?: { pub: { data: string } } }
    if (push?.pub.data !== data) {
      t.fail('others get everything')
    }
  }
  // What the node still had is given up when the closing takes too long; the kernel's part too.
  const handed = ours.bytesWritten - ours.writableLength
  while (node.app.websocketServer.clients.size > 2) {
    await new Promise(setImmediate)
  }
  raw.socket.resume()
  await once(raw.socket, 'close')
  t.ok(raw.socket.bytesRead < handed, `${raw.socket.bytesRead} of ${handed} bytes`)
})
