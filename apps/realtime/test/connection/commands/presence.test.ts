import t, { type Test } from 'tap'
import {
  channelOptions,
  flushed,
  grant,
  MemoryNode,
  send,
  settled,
} from '../../fixtures/memory-node.js'

const room = { channel: 'room:1' }
const scopes = ['subscribe:*', 'presence:*']

function node(t: Test): MemoryNode {
  const memory = new MemoryNode(t)
  memory.namespaces.set('room', channelOptions({ presence: true, joinLeave: true }))
  return memory
}

t.test('lists subscribers until they leave', async (t) => {
  const memory = node(t)
  const ada = await memory.connect(grant({ scopes }))
  const bob = await memory.connect(grant({ scopes, subject: 'bob' }))
  const eve = await memory.connect(grant({ scopes, subject: 'eve' }))
  for (const { connection } of [ada, bob, eve]) {
    send(connection, { id: 2, subscribe: room })
  }
  await flushed()
  send(ada.connection, { id: 3, presence: room }, { id: 4, presence_stats: room })
  await flushed()
  const [, presence, stats] = ada.transport.messages
  t.same(presence, {
    id: 3,
    presence: {
      presence: Object.fromEntries(
        [ada, bob, eve].map(({ connection: { id, subject } }) => [
          id,
          { user: subject, client: id },
        ]),
      ),
    },
  })
  t.same(stats, { id: 4, presence_stats: { num_clients: 3, num_users: 3 } })
  send(bob.connection, { id: 3, unsubscribe: room })
  memory.end(eve.grant, 'revoked')
  ada.connection.left()
  await flushed()
  t.same(memory.present.get('room:1'), [])
  t.same(memory.announced.sort(), [
    'room:1 join ada',
    'room:1 join bob',
    'room:1 join eve',
    'room:1 leave ada',
    'room:1 leave bob',
    'room:1 leave eve',
  ])
})

t.test('does not list a subscriber that left before it entered', async (t) => {
  const memory = node(t)
  const redis = settled()
  memory.joining = () => redis.promise
  const { connection } = await memory.connect(grant({ scopes }))
  send(connection, { id: 2, subscribe: room }, { id: 3, unsubscribe: room })
  redis.resolve()
  await flushed()
  t.same(memory.present.get('room:1'), [])
  t.same(memory.announced, [])
})

t.test('sends joins and leaves to subscribers that ask for them and have the scope', async (t) => {
  const memory = node(t)
  const asks = await memory.connect(grant({ scopes }))
  const silent = await memory.connect(grant({ scopes }))
  const mayNot = await memory.connect()
  send(asks.connection, { id: 2, subscribe: { ...room, join_leave: true } })
  send(silent.connection, { id: 2, subscribe: room })
  send(mayNot.connection, { id: 2, subscribe: { ...room, join_leave: true } })
  await flushed()
  t.match(mayNot.transport.messages, [{ id: 2, error: { code: 103 } }])
  for (const { transport } of [asks, silent]) {
    transport.writes.length = 0
  }
  memory.hub.announce('room:1', 'join', { user: 'u', client: 'c' })
  await flushed()
  t.match(asks.transport.messages, [{ push: { join: { info: { user: 'u' } } } }])
  t.same(silent.transport.writes, [])
})

t.test(
  'sends joins and leaves to all that have the scope, where the namespace says so',
  async (t) => {
    const memory = node(t)
    const forced = channelOptions({ presence: true, joinLeave: true, forcePushJoinLeave: true })
    memory.namespaces.set('room', forced)
    const may = await memory.connect(grant({ scopes }))
    const mayNot = await memory.connect()
    for (const { connection, transport } of [may, mayNot]) {
      send(connection, { id: 2, subscribe: room })
      await flushed()
      transport.writes.length = 0
    }
    memory.hub.announce('room:1', 'join', { user: 'u', client: 'c' })
    await flushed()
    t.match(may.transport.messages, [{ push: { join: { info: { user: 'u' } } } }])
    t.same(mayNot.transport.writes, [])
  },
)

t.test('presence needs its scope, and a namespace with presence', async (t) => {
  const memory = node(t)
  const may = await memory.connect(grant({ scopes }))
  const mayNot = await memory.connect()
  for (const { connection } of [may, mayNot]) {
    send(connection, { id: 2, presence: { channel: 'other' } }, { id: 3, presence_stats: room })
  }
  await flushed()
  t.match(may.transport.messages, [
    { id: 2, error: { code: 108 } },
    { id: 3, presence_stats: {} },
  ])
  t.match(mayNot.transport.messages, [
    { id: 2, error: { code: 103 } },
    { id: 3, error: { code: 103 } },
  ])
})
