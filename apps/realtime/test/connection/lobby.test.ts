import { jsonCodec } from '@portcullis/protocol'
import t from 'tap'
import { Connection } from '../../src/connection/connection.js'
import { Lobby } from '../../src/connection/lobby.js'
import type { Grant } from '../../src/connection/tokens.js'
import { FakeTransport, flushed, grant, MemoryNode, settled } from '../fixtures/memory-node.js'
import { expiredToken } from '../fixtures/unsigned-token.js'

const publish = Buffer.from('{"id":2,"publish":{"channel":"news","data":1}}')

/** Returns a guest whose token auth is checking. */
function asking(t: Parameters<typeof lobbyOf>[0], token = 't') {
  const memory = new MemoryNode(t)
  const answer = settled<Grant | 'inactive' | 'unavailable'>()
  memory.introspecting = () => answer.promise
  const lobby = lobbyOf(t, memory)
  const transport = new FakeTransport()
  const guest = lobby.add(transport, jsonCodec, memory.node.tokens.introspect)
  guest.receive(Buffer.from(JSON.stringify({ id: 1, connect: { token } })), false)
  return { memory, lobby, transport, guest, answer: answer.resolve }
}

function lobbyOf(t: ConstructorParameters<typeof MemoryNode>[0], { node }: MemoryNode) {
  const lobby = new Lobby({
    deadlineMs: 60_000,
    enter: (transport, codec, held, token) =>
      new Connection({
        node,
        transport,
        codec,
        grant: held,
        isAdmitted: (other) => other === token,
      }),
  })
  t.teardown(() => lobby.stop())
  return lobby
}

t.test('keeps commands until auth answers, and then handles all', async (t) => {
  const { memory, lobby, transport, guest, answer } = asking(t)
  guest.receive(publish, false)
  await flushed()
  t.same([memory.hub.size, memory.published.length, transport.reading], [0, 0, false])
  answer(grant())
  await flushed()
  t.same([memory.hub.size, memory.published.length, transport.reading], [1, 1, true])
  t.match(transport.messages, [
    { id: 1, connect: {} },
    { id: 2, publish: {} },
  ])
  t.equal(lobby.size, 0)
})

t.test('closes a connection whose token was revoked after the answer', async (t) => {
  const { memory, transport, guest, answer } = asking(t)
  guest.receive(publish, false)
  // The gate calls back at once for an ended grant.
  memory.node.tokens.watch = (_grant, onEnd) => {
    onEnd('revoked')
    return () => undefined
  }
  answer(grant())
  await flushed()
  t.equal(transport.ending, 4500)
  t.same([memory.hub.size, memory.published.length, transport.writes.length], [0, 0, 0])
})

t.test('opens no connection for a peer that has left', async (t) => {
  const { memory, lobby, guest, answer } = asking(t)
  guest.left()
  t.equal(lobby.size, 0)
  answer(grant())
  await flushed()
  t.equal(memory.hub.size, 0)
})

t.test('admits no client without an answer from auth', async (t) => {
  const { memory, lobby, transport, answer } = asking(t)
  answer('unavailable')
  await flushed()
  t.match(transport.messages, [{ id: 1, error: { code: 100 } }])
  t.equal(transport.ending, 3004)
  t.same([memory.hub.size, lobby.size], [0, 0])
})

t.test(
  'a token that can never be good stops the client, and an expired one does not',
  async (t) => {
    const invalid = asking(t)
    invalid.answer('inactive')
    await flushed()
    t.same([invalid.transport.messages, invalid.transport.ending], [[], 3500])
    const expired = asking(t, expiredToken)
    expired.answer('inactive')
    await flushed()
    t.match(expired.transport.messages, [{ id: 1, error: { code: 109 } }])
    t.equal(expired.transport.ending, 3005)
  },
)

t.test('limits the bytes that wait for the answer', async (t) => {
  const { transport, guest } = asking(t)
  guest.receive(Buffer.alloc(8192, '{'), false)
  t.equal(transport.ending, 3501)
})
