import { disconnectCodes } from '@portcullis/protocol'
import t from 'tap'
import { flushed, grant, MemoryNode, send } from '../fixtures/memory-node.js'

const publication = { channel: 'news', data: { n: 1 } }

t.test('without a lease nothing leaves; with it everything does, in order', async (t) => {
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

t.test('a flush asks the clock: no timer has to have said that the lease is out', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  connection.reply(7, { publish: {} })
  memory.lease.held = false
  await flushed()
  t.same(transport.writes, [])
})

t.test('without a lease no command is acted on; with it all are, in order', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  memory.lease.held = false
  send(connection, { id: 2, publish: publication }, { id: 3, publish: publication })
  send(connection, { id: 4, publish: publication })
  await flushed()
  t.same(memory.published, [])
  t.equal(transport.reading, false, 'and no more is read')
  memory.lease.regain()
  await flushed()
  t.equal(memory.published.length, 3)
  t.match(transport.messages, [{ id: 2 }, { id: 3 }, { id: 4 }])
  t.equal(transport.reading, true)
})

t.test('a lease that runs out between two commands of one message stops the second', async (t) => {
  const memory = new MemoryNode(t)
  const { connection } = await memory.connect()
  memory.publishing = async () => {
    memory.lease.held = false
  }
  send(connection, { id: 2, publish: publication }, { id: 3, publish: publication })
  await flushed()
  t.equal(memory.published.length, 1)
})

t.test('commands behind a connect that is being decided wait for the lease too', async (t) => {
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

t.test('what was kept back is lost with the token', async (t) => {
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

t.test('a peer that has not taken what was written is cut when the lease runs out', async (t) => {
  const memory = new MemoryNode(t)
  const slow = await memory.connect()
  const quick = await memory.connect()
  slow.transport.bytesWaiting = 1
  memory.lease.lose()
  t.equal(slow.transport.ending, 'destroy')
  t.equal(quick.transport.ending, undefined)
})

t.test('one that is being closed politely, and has not taken all, is cut too', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  transport.bytesWaiting = 1
  connection.end(disconnectCodes.shutdown)
  t.equal(transport.ending, disconnectCodes.shutdown.code)
  memory.lease.lose()
  t.equal(transport.ending, 'destroy')
})

t.test('no more is kept for one connection than for a slow reader', async (t) => {
  const memory = new MemoryNode(t, { sendBufferBytes: 1000 })
  const { connection, transport } = await memory.connect()
  memory.lease.lose()
  connection.deliver(Buffer.alloc(1001))
  await flushed()
  t.equal(transport.ending, 4000)
  t.same(transport.writes, [])
})

t.test('a lease that stays away closes everyone with 4000', async (t) => {
  const memory = new MemoryNode(t)
  const opened = await Promise.all(Array.from({ length: 5 }, () => memory.connect()))
  memory.lease.lose()
  opened[0]?.connection.reply(7, { publish: {} })
  await closedAll(memory, 5)
  t.same(
    opened.map(({ transport }) => transport.ending),
    Array.from({ length: 5 }, () => 4000),
  )
  t.same(opened[0]?.transport.writes, [], 'and what was kept is not let out by the close')
})

t.test('a lease that comes back within the grace closes nobody', async (t) => {
  const memory = new MemoryNode(t)
  const { transport } = await memory.connect()
  memory.lease.lose()
  memory.lease.regain()
  const other = await memory.connect()
  memory.lease.lose()
  await closedAll(memory, 2)
  t.equal(other.transport.ending, 4000, 'the second loss has a grace of its own')
  t.equal(transport.ending, 4000)
})

t.test('nobody is blamed for a pong that was not read', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  memory.pulse.ping()
  await flushed()
  memory.lease.lose()
  send(connection, {})
  memory.pulse.checkPong()
  t.equal(transport.ending, undefined, 'not while it is held')
  memory.lease.regain()
  memory.pulse.checkPong()
  t.equal(transport.ending, undefined)

  memory.pulse.ping()
  await flushed()
  memory.lease.lose()
  memory.lease.regain()
  memory.pulse.checkPong()
  t.equal(transport.ending, undefined, 'nor right after it')
  memory.pulse.checkPong()
  t.equal(transport.ending, disconnectCodes.noPong.code, 'but once it had its time again')
})

t.test('a held connection is not pinged', async (t) => {
  const memory = new MemoryNode(t)
  const { transport } = await memory.connect()
  memory.lease.lose()
  memory.pulse.ping()
  memory.lease.regain()
  await flushed()
  t.same(transport.writes, [])
})

/** Waits until so many connections have closed. */
async function closedAll(memory: MemoryNode, count: number): Promise<void> {
  while (memory.closed.length < count) {
    await new Promise(setImmediate)
  }
}
