import t from 'tap'
import { flushed, grant, MemoryNode, send, settled } from '../../fixtures/memory-node.js'
import { expiredToken } from '../../fixtures/unsigned-token.js'

t.test('does not introspect the token of the upgrade again', async (t) => {
  const memory = new MemoryNode(t)
  memory.introspecting = async () => {
    t.fail('auth was asked')
    return 'inactive'
  }
  for (const connect of [{}, { token: '' }, { token: 'admitted' }]) {
    const { connection, transport } = memory.open()
    send(connection, { id: 1, connect })
    await flushed()
    t.match(transport.messages, [{ id: 1, connect: { client: connection.id } }])
  }
})

t.test('keeps commands until connect is decided', async (t) => {
  const memory = new MemoryNode(t)
  const auth = settled<ReturnType<typeof grant>>()
  memory.introspecting = () => auth.promise
  const { connection, transport } = memory.open()
  send(connection, { id: 1, connect: { token: 'other' } }, { id: 2, rpc: {} })
  send(connection, { id: 3, rpc: {} })
  await flushed()
  t.same(transport.writes, [])
  auth.resolve(grant())
  await flushed()
  t.same(
    transport.messages.map(({ id }) => id),
    [1, 2, 3],
  )
})

t.test('limits the bytes of waiting commands', async (t) => {
  const memory = new MemoryNode(t)
  memory.introspecting = () => settled<'inactive'>().promise
  const { connection, transport } = memory.open()
  send(connection, { id: 1, connect: { token: 'other' } })
  const large = { id: 2, rpc: { data: 'x'.repeat(50_000) } }
  send(connection, large)
  send(connection, large)
  send(connection, large)
  t.equal(transport.ending, undefined)
  send(connection, large)
  t.equal(transport.ending, 3013)
})

t.test('refuses a token that may not replace that of the upgrade', async (t) => {
  const memory = new MemoryNode(t)
  const outcomes = [
    { token: expiredToken, answer: 'inactive' as const, code: 109, ending: undefined },
    { token: 'other', answer: 'inactive' as const, code: undefined, ending: 3500 },
    { token: 'other', answer: 'unavailable' as const, code: 100, ending: undefined },
    { token: 'other', answer: grant({ subject: 'eve' }), code: undefined, ending: 3500 },
  ]
  for (const { token, answer, code, ending } of outcomes) {
    memory.introspecting = async () => answer
    const { connection, transport } = memory.open()
    send(connection, { id: 1, connect: { token } })
    await flushed()
    t.match(transport.messages, code === undefined ? [] : [{ id: 1, error: { code } }])
    t.equal(transport.ending, ending)
    t.not(connection.state, 'connected')
  }
})
