import { disconnectCodes } from '@portcullis/protocol'
import t, { type Test } from 'tap'
import {
  channelOptions,
  flushed,
  grant,
  MemoryNode,
  send,
  settled,
} from '../fixtures/memory-node.js'

/** Returns a node that cleans up after one closed connection in each turn of the event loop. */
function slowNode(t: Test): MemoryNode {
  const memory = new MemoryNode(t, {}, { cleanupSliceMs: 0 })
  memory.namespaces.set('room', channelOptions({ presence: true, joinLeave: true }))
  return memory
}

async function turnsUntil(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 50 && !done(); turn += 1) {
    await new Promise(setImmediate)
  }
}

t.test('closes all connections of a token before it leaves their channels', async (t) => {
  const memory = slowNode(t)
  const shared = grant()
  const opened = []
  for (let index = 0; index < 3; index += 1) {
    const one = await memory.connect(shared)
    send(one.connection, { id: 2, subscribe: { channel: 'room:a' } })
    await flushed()
    one.transport.writes.length = 0
    opened.push(one)
  }
  memory.end(shared, 'revoked')
  t.same(
    opened.map(({ transport }) => transport.ending),
    Array(3).fill(disconnectCodes.tokenRevoked.code),
  )
  t.equal(memory.hub.size, 0)
  t.ok(memory.hub.counts.subscriptions > 0, 'leaving the channels waits')
  memory.hub.deliver('room:a', Buffer.from('{"data":1}'))
  await turnsUntil(() => memory.closed.length === 3)
  t.same(
    opened.flatMap(({ transport }) => transport.writes),
    [],
  )
  t.equal(memory.hub.counts.subscriptions, 0)
  t.same(memory.present.get('room:a'), [])
  t.equal(memory.announced.filter((line) => line === 'room:a leave ada').length, 3)
  t.same(memory.closed, Array(3).fill(disconnectCodes.tokenRevoked))
})

t.test('does not enter a channel after the close', async (t) => {
  const memory = slowNode(t)
  const { promise, resolve } = settled()
  memory.joining = () => promise
  const { connection, grant: held } = await memory.connect()
  const other = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'room:a' } })
  other.connection.end(disconnectCodes.shutdown)
  memory.end(held, 'revoked')
  resolve()
  await turnsUntil(() => memory.closed.length === 2)
  await flushed()
  t.equal(memory.hub.counts.subscriptions, 0)
  t.notOk(memory.announced.includes('room:a join ada'))
})

for (const left of [true, false]) {
  t.test(
    `releases the token of a channel ${left ? 'when the peer has left' : 'after a reset'}`,
    async (t) => {
      const memory = slowNode(t)
      const own = grant({ scopes: [] })
      const ofChannel = grant({ jti: 'sub', scopes: ['subscribe:room:a'] })
      memory.introspecting = async () => ofChannel
      const { connection, transport } = await memory.connect(own)
      send(connection, { id: 2, subscribe: { channel: 'room:a', token: 'for-a' } })
      await flushed()
      t.equal(memory.holders.get(ofChannel)?.size, 1)
      transport.bytesWaiting = 10
      if (left) {
        connection.left()
        t.same(memory.closed, [disconnectCodes.connectionClosed], 'at once')
      } else {
        memory.end(own, 'revoked')
        t.equal(transport.ending, 'destroy')
        await turnsUntil(() => memory.closed.length === 1)
      }
      t.equal(memory.holders.get(ofChannel)?.size, 0)
      await flushed()
      t.equal(memory.closed.length, 1, 'cleans up once')
    },
  )
}
