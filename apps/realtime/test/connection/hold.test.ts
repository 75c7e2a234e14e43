import { disconnectCodes } from '@portcullis/protocol'
import t from 'tap'
import { flushed, grant, MemoryNode, send } from '../fixtures/memory-node.js'

const publication = { channel: 'news', data: { n: 1 } }

t.test('keeps output without a lease, and writes it in order with it', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'news' } })
  await flushed()
  transport.writes.length = 0
  memory.lease.lose()
  connection.reply(7, { publish: {} })
  await flushed()
  connection.reply(8, { publish: {} })
  await flushed()
  t.same(transport.writes, [])
  memory.lease.regain()
  t.match(transport.messages, [{ id: 7 }, { id: 8 }])
  t.equal(transport.ending, undefined)
})

t.test('checks the lease by the clock at each flush', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  connection.reply(7, { publish: {} })
  memory.lease.held = false
  await flushed()
  t.same(transport.writes, [])
})

t.test('keeps commands without a lease, and handles them in order with it', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  memory.lease.held = false
  send(connection, { id: 2, publish: publication }, { id: 3, publish: publication })
  send(connection, { id: 4, publish: publication })
  await flushed()
  t.same(memory.published, [])
  t.equal(transport.reading, false, 'reading stops')
  memory.lease.regain()
  await flushed()
  t.equal(memory.published.length, 3)
  t.match(transport.messages, [{ id: 2 }, { id: 3 }, { id: 4 }])
  t.equal(transport.reading, true)
})

t.test('checks the lease before each command of a message', async (t) => {
  const memory = new MemoryNode(t)
  const { connection } = await memory.connect()
  memory.publishing = async () => {
    memory.lease.held = false
  }
  send(connection, { id: 2, publish: publication }, { id: 3, publish: publication })
  await flushed()
  t.equal(memory.published.length, 1)
})

t.test('commands that wait for connect also wait for the lease', async (t) => {
  const memory = new MemoryNode(t)
  let answer = (_: ReturnType<typeof grant>) => {}
  memory.introspecting = () =>
    new Promise((resolve) => {
      answer = resolve
    })
  const { connection } = memory.open()
  send(connection, { id: 1, connect: { token: 'other' } }, { id: 2, publish: publication })
  memory.lease.lose()
  answer(grant())
  await flushed()
  t.same(memory.published, [])
  memory.lease.regain()
  await flushed()
  t.equal(memory.published.length, 1)
})

t.test('drops kept output and commands when the token is revoked', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport, grant: held } = await memory.connect()
  memory.lease.lose()
  connection.reply(7, { publish: {} })
  send(connection, { id: 2, publish: publication })
  await flushed()
  memory.end(held, 'revoked')
  t.equal(transport.ending, 4500)
  t.equal(transport.reading, true, "so that the peer's close is seen")
  memory.lease.regain()
  await flushed()
  t.same(transport.writes, [])
  t.same(memory.published, [])
})

t.test('cuts a peer with unread bytes when the lease is lost', async (t) => {
  const memory = new MemoryNode(t)
  const slow = await memory.connect()
  const quick = await memory.connect()
  slow.transport.bytesWaiting = 1
  memory.lease.lose()
  t.equal(slow.transport.ending, 'destroy')
  t.equal(quick.transport.ending, undefined)
})

t.test('cuts a closing peer with unread bytes too', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  transport.bytesWaiting = 1
  connection.end(disconnectCodes.shutdown)
  t.equal(transport.ending, disconnectCodes.shutdown.code)
  memory.lease.lose()
  t.equal(transport.ending, 'destroy')
})

t.test('limits kept output like the output of a slow reader', async (t) => {
  const memory = new MemoryNode(t, { sendBufferBytes: 1000 })
  const { connection, transport } = await memory.connect()
  memory.lease.lose()
  connection.deliver(Buffer.alloc(1001))
  await flushed()
  t.equal(transport.ending, 4000)
  t.same(transport.writes, [])
})

t.test('closes all connections with 4000 after the grace period', async (t) => {
  const memory = new MemoryNode(t)
  const opened = await Promise.all(Array.from({ length: 5 }, () => memory.connect()))
  memory.lease.lose()
  opened[0]?.connection.reply(7, { publish: {} })
  await closedAll(memory, 5)
  t.same(
    opened.map(({ transport }) => transport.ending),
    Array.from({ length: 5 }, () => 4000),
  )
  t.same(opened[0]?.transport.writes, [], 'the close does not send kept output')
})

t.test('closes no connection when the lease returns within the grace period', async (t) => {
  const memory = new MemoryNode(t)
  const { transport } = await memory.connect()
  memory.lease.lose()
  memory.lease.regain()
  const other = await memory.connect()
  memory.lease.lose()
  await closedAll(memory, 2)
  t.equal(other.transport.ending, 4000, 'the second loss has its own grace period')
  t.equal(transport.ending, 4000)
})

t.test('excuses a pong that was not read', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  memory.pulse.ping()
  await flushed()
  memory.lease.lose()
  send(connection, {})
  memory.pulse.checkPong()
  t.equal(transport.ending, undefined, 'not without a lease')
  memory.lease.regain()
  memory.pulse.checkPong()
  t.equal(transport.ending, undefined)

  memory.pulse.ping()
  await flushed()
  memory.lease.lose()
  memory.lease.regain()
  memory.pulse.checkPong()
  t.equal(transport.ending, undefined, 'nor right after the lease returns')
  memory.pulse.checkPong()
  t.equal(transport.ending, disconnectCodes.noPong.code, 'but after a full pong timeout')
})

t.test('does not ping without a lease', async (t) => {
  const memory = new MemoryNode(t)
  const { transport } = await memory.connect()
  memory.lease.lose()
  memory.pulse.ping()
  memory.lease.regain()
  await flushed()
  t.same(transport.writes, [])
})

/** Waits until `count` connections have closed. */
async function closedAll(memory: MemoryNode, count: number): Promise<void> {
  while (memory.closed.length < count) {
    await new Promise(setImmediate)
  }
}
