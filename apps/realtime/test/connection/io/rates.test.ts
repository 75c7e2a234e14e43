import t from 'tap'
import { flushed, grant, MemoryNode, send, settled } from '../../fixtures/memory-node.js'

const few = { commandsPerSecond: 1, bytesPerSecond: 1e9, burstSeconds: 4 }

t.test('replies 111 to commands that come too fast', async (t) => {
  const memory = new MemoryNode(t, few)
  const { connection, transport } = await memory.connect()
  const publish = { channel: 'a', data: 1 }
  for (let id = 2; id < 7; id += 1) {
    send(connection, { id, publish })
  }
  await flushed()
  t.same(
    transport.messages.map(({ id, error }) => [id, (error as { code?: number })?.code]).sort(),
    [
      [2, undefined],
      [3, undefined],
      [4, undefined],
      [5, 111],
      [6, 111],
    ],
  )
  t.match(transport.messages.find(({ id }) => id === 6)?.['error'], { temporary: true })
  t.equal(memory.published.length, 3, 'they are not handled')
  t.equal(memory.limited, 2, 'they are counted')
  t.equal(connection.commandsInFlight, 0)
})

t.test('accepts a pong above the rate, and drops a send', async (t) => {
  const memory = new MemoryNode(t, few)
  const { connection, transport } = await memory.connect()
  send(connection, ...Array.from({ length: 4 }, (_, at) => ({ id: at + 2, rpc: {} })))
  memory.pulse.ping()
  send(connection, { send: {} }, {})
  memory.pulse.checkPong()
  await flushed()
  t.equal(transport.ending, undefined)
  t.equal(transport.messages.length, 5, 'four replies and the ping')
})

t.test('closes a client that stays above the rate', async (t) => {
  const memory = new MemoryNode(t, few)
  const { connection, transport } = await memory.connect()
  for (let id = 2; transport.ending === undefined && id < 100; id += 1) {
    send(connection, { id, rpc: {} })
  }
  t.equal(transport.ending, 3013)
  t.equal(memory.limited, 5)
  t.equal(memory.hub.size, 0)
})

t.test('counts the bytes of messages', async (t) => {
  const memory = new MemoryNode(t, {
    commandsPerSecond: 1000,
    bytesPerSecond: 1024,
    burstSeconds: 1,
  })
  const { connection, transport } = await memory.connect()
  const data = 'x'.repeat(1100)
  send(connection, { id: 2, publish: { channel: 'a', data } })
  send(connection, { id: 3, publish: { channel: 'a', data: 1 } })
  await flushed()
  t.match(transport.messages, [
    { id: 3, error: { code: 111 } },
    { id: 2, publish: {} },
  ])
  send(connection, { id: 4, publish: { channel: 'a', data } })
  t.equal(transport.ending, 3013)
})

t.test('limits waiting commands and their bytes', async (t) => {
  const memory = new MemoryNode(t, few)
  const answer = settled<'inactive'>()
  memory.introspecting = () => answer.promise
  const { connection, transport } = memory.open()
  send(connection, { id: 1, connect: { token: 'other' } })
  for (let id = 2; id < 6; id += 1) {
    send(connection, { id, publish: { channel: 'a', data: 1 } })
  }
  await flushed()
  t.match(transport.messages, [{ id: 5, error: { code: 111 } }])
  answer.resolve('inactive')
  await flushed()
  t.equal(transport.ending, 3500, 'the token was refused')
})

t.test('limits the connections of each user', async (t) => {
  const memory = new MemoryNode(t, { connectionsPerUser: 2 })
  const [first] = [await memory.connect(), await memory.connect()]
  const third = await memory.connect()
  t.equal(third.transport.ending, 3504)
  t.same(memory.closed, [{ code: 3504, reason: 'connection limit' }])
  for (const other of [grant({ subject: 'bob' }), grant({ identity: 'bank' })]) {
    t.equal((await memory.connect(other)).transport.ending, undefined)
  }
  first.connection.left()
  t.equal((await memory.connect()).transport.ending, undefined, 'a closed connection makes room')
})
