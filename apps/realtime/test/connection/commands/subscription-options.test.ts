import { encodePublication, JsonText } from '@portcullis/protocol'
import t, { type Test } from 'tap'
import { channelOptions, flushed, MemoryNode, send } from '../../fixtures/memory-node.js'

const leaf = { key: 'kind', cmp: 'eq', val: 'goal' }
const position = { offset: 4, epoch: 'e' }
const stored = ['goal', 'card', 'goal', 'card'].map((kind, at) => ({
  offset: at + 1,
  encoded: encodePublication({ data: JsonText.of(at + 1), tags: { kind } }),
}))

function node(t: Test): MemoryNode {
  const memory = new MemoryNode(t, { channelsPerConnection: 20 })
  const kept = { historySize: 10, recovery: true }
  memory.namespaces.set('all', channelOptions({ ...kept, delta: true, tagsFilter: true }))
  memory.namespaces.set('live', channelOptions({ delta: true, tagsFilter: true }))
  memory.namespaces.set('none', channelOptions())
  memory.reading = async (_channel, since) => ({
    position,
    publications: since === undefined ? [] : stored.filter(({ offset }) => offset > since.offset),
  })
  return memory
}

/** Returns the reply to one `subscribe`. */
async function subscribe(memory: MemoryNode, body: object): Promise<unknown> {
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: body })
  await flushed()
  return transport.messages[0]
}

t.test('sends deltas on request, where the namespace has them', async (t) => {
  const memory = node(t)
  const fossil = { delta: 'fossil' }
  const cases: [body: object, result: object][] = [
    [{ channel: 'live:1', ...fossil }, { delta: true }],
    [{ channel: 'live:1' }, {}],
    [{ channel: 'live:1', delta: '' }, {}],
    [{ channel: 'none:1', ...fossil }, {}],
    [
      { channel: 'all:1', ...fossil },
      { recoverable: true, positioned: true, delta: true, ...position },
    ],
    [{ channel: 'live:1', ...fossil, tf: null }, { delta: true }],
    [{ channel: 'live:1', ...fossil, tf: leaf }, {}],
  ]
  for (const [body, result] of cases) {
    t.same(await subscribe(memory, body), { id: 2, subscribe: result }, JSON.stringify(body))
  }
})

t.test('rejects unknown deltas and invalid filters', async (t) => {
  const memory = node(t)
  const bodies = [
    { channel: 'live:1', delta: 'xdelta' },
    { channel: 'live:1', delta: true },
    { channel: 'none:1', tf: leaf },
    { channel: 'live:1', tf: {} },
    { channel: 'live:1', tf: 'goal' },
    { channel: 'live:1', tf: { ...leaf, cmp: 'like' } },
    { channel: 'all:1', recover: true, tf: { op: 'and', nodes: [leaf, 7] } },
  ]
  for (const body of bodies) {
    t.match(await subscribe(memory, body), { error: { code: 107 } }, JSON.stringify(body))
  }
  t.same(memory.hub.counts.subscriptions, 0)
})

t.test('with deltas the first publication comes in full, as text', async (t) => {
  const memory = node(t)
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'live:1', delta: 'fossil' } })
  await flushed()
  const data = { text: 'something that is long enough to make a difference' }
  for (const n of [1, 2]) {
    memory.hub.deliver(
      'live:1',
      encodePublication({ data: JsonText.of({ ...data, n }), tags: { n: `${n}` } }),
    )
  }
  await flushed()
  const [, first, second] = transport.messages
  t.same(first, {
    push: {
      channel: 'live:1',
      pub: { data: JSON.stringify({ ...data, n: 1 }), tags: { n: '1' } },
    },
  })
  t.match(second, { push: { pub: { delta: true, data: /^\S+\n\S+@0,/, tags: { n: '2' } } } })
})

t.test('filters recovered and live publications', async (t) => {
  const memory = node(t)
  const { connection, transport } = await memory.connect()
  const recover = { recover: true, offset: 0, epoch: 'e' }
  send(connection, { id: 2, subscribe: { channel: 'all:1', tf: leaf, ...recover } })
  await flushed()
  for (const [offset, kind] of [
    [5, 'card'],
    [6, 'goal'],
  ] as const) {
    const encoded = encodePublication({ data: JsonText.of(offset), tags: { kind } })
    memory.hub.deliver('all:1', encoded, { offset, epoch: 'e' })
  }
  await flushed()
  const tags = { kind: 'goal' }
  t.match(transport.messages, [
    {
      subscribe: {
        recovered: true,
        ...position,
        publications: [
          { data: 1, offset: 1, tags },
          { data: 3, offset: 3, tags },
        ],
      },
    },
    { push: { pub: { data: 6, offset: 6, tags } } },
  ])
  t.equal(transport.messages.length, 2)
})

t.test('with deltas recovered publications come in full, and so does the next one', async (t) => {
  const memory = node(t)
  const { connection, transport } = await memory.connect()
  const recover = { recover: true, offset: 2, epoch: 'e' }
  send(connection, { id: 2, subscribe: { channel: 'all:1', delta: 'fossil', ...recover } })
  await flushed()
  memory.hub.deliver('all:1', encodePublication({ data: JsonText.of(5) }), {
    offset: 5,
    epoch: 'e',
  })
  await flushed()
  t.strictSame(transport.messages, [
    {
      id: 2,
      subscribe: {
        recoverable: true,
        positioned: true,
        delta: true,
        ...position,
        was_recovering: true,
        recovered: true,
        publications: [
          { data: '3', tags: { kind: 'goal' }, offset: 3 },
          { data: '4', tags: { kind: 'card' }, offset: 4 },
        ],
      },
    },
    { push: { channel: 'all:1', pub: { data: '5', offset: 5 } } },
  ])
})
