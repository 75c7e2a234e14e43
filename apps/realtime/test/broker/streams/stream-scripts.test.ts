import { encodePublication, JsonText, type StreamPosition } from '@portcullis/protocol'
import { close, connect } from '@portcullis/redis'
import fc from 'fast-check'
import t from 'tap'
import { keys } from '../../../src/broker/keys.js'
import { readChannelMessage } from '../../../src/broker/pubsub/messages.js'
import {
  type BoundedHistoryQuery,
  disownLost,
  publish,
  readHistory,
  readPosition,
} from '../../../src/broker/streams/stream-scripts.js'
import { randomPrefix, redisUrl } from '../../fixtures/realtime-node.js'

const redis = connect({ url: redisUrl, onError: () => undefined })
await redis.connect()
t.teardown(() => close(redis))

/** A deadline an hour from now, in Unix milliseconds. */
const later = Date.now() + 3_600_000
const kept = { history: { size: 3, ttlSeconds: 60 } }
const of = (data: unknown) => encodePublication({ data: JsonText.of(data) })

function open() {
  const names = keys(randomPrefix(), 1)
  return {
    names,
    publish: (channel: string, data: unknown, options: Parameters<typeof publish>[4] = kept) =>
      publish(redis, names, channel, of(data), options, later),
    async history(
      channel: string,
      { maxBytes = 1e6, ...query }: Omit<BoundedHistoryQuery, 'maxBytes'> & { maxBytes?: number },
    ) {
      const { position, publications } = await readHistory(redis, names, channel, {
        ...query,
        maxBytes,
      })
      const read = publications.map(({ offset, encoded }) => [
        offset,
        JSON.parse(encoded.toString()).data,
      ])
      return { ...position, read }
    },
  }
}

t.test('counts publications and keeps the newest', async (t) => {
  const { publish, history } = open()
  const first = await publish('a', 'one')
  t.match(first, { offset: 1 })
  for (const data of ['two', 'three', 'four']) {
    await publish('a', data)
  }
  const all = await history('a', { limit: -1 })
  t.same(all, {
    offset: 4,
    epoch: first?.epoch,
    read: [
      [2, 'two'],
      [3, 'three'],
      [4, 'four'],
    ],
  })
  t.same((await history('b', { limit: -1 })).read, [], 'only of this channel')
})

t.test('reads history from a position, backwards, and in part', async (t) => {
  const { publish, history } = open()
  for (const data of ['one', 'two', 'three']) {
    await publish('a', data)
  }
  const { epoch } = await history('a', { limit: 0 })
  const read = async (query: Parameters<typeof history>[1]) =>
    (await history('a', query)).read.map(([offset]) => offset)
  t.same(await read({ limit: 0 }), [])
  t.same(await read({ limit: 2 }), [1, 2])
  t.same(await read({ limit: 2, reverse: true }), [3, 2])
  t.same(await read({ limit: -1, since: { offset: 1, epoch } }), [2, 3])
  t.same(await read({ limit: 1, since: { offset: 1, epoch } }), [2])
  t.same(await read({ limit: -1, since: { offset: 3, epoch }, reverse: true }), [2, 1])
  t.same(await read({ limit: -1, since: { offset: 9, epoch } }), [])
  t.same(await read({ limit: -1, since: { offset: 0, epoch }, reverse: true }), [])
})

t.test('has a position before the first publication and after the last has expired', async (t) => {
  const { names, publish, history } = open()
  const before = await history('a', { limit: 0 })
  t.match(before, { offset: 0 })
  t.same(await publish('a', 1), { offset: 1, epoch: before.epoch })
  await redis.del(names.stream('a'))
  t.same(await history('a', { limit: -1 }), { offset: 1, epoch: before.epoch, read: [] })
  t.same(await publish('a', 2), { offset: 2, epoch: before.epoch })
})

t.test('starts a new epoch when the position is lost', async (t) => {
  const { names, publish, history } = open()
  const old = await publish('a', 1)
  await publish('a', 2)
  await redis.del(names.place('a'))
  const anew = await publish('a', 3)
  t.match(anew, { offset: 1 })
  t.not(anew?.epoch, old?.epoch)
  t.same((await history('a', { limit: -1 })).read, [[1, 3]])
})

t.test('jumps in offsets after a change of masters and names the previous offset', async (t) => {
  const { names, publish, history } = open()
  const subscriber = redis.duplicate()
  await subscriber.connect()
  t.teardown(() => close(subscriber))
  const heard: string[] = []
  subscriber.on('smessage', (_channel, message: string) => heard.push(message))
  await subscriber.ssubscribe(names.channel('a'))
  const before = await history('a', { limit: 0 })
  /** Imitates a replica that became master, or a restarted Redis. */
  const promote = () => redis.hset(names.place('a'), 'line', 'another')
  await promote()
  const first = await publish('a', 1)
  t.match(first, { epoch: before.epoch }, 'the same epoch')
  const begin = first?.offset ?? 0
  t.ok(begin > 2 ** 24 && begin < 2 ** 40, 'also in an empty stream')
  t.match(await publish('a', 2), { offset: begin + 1 })
  await promote()
  const further = (await publish('a', 3))?.offset ?? 0
  t.ok(further > begin + 2 ** 24)
  const { publications } = await readHistory(redis, names, 'a', { limit: -1, maxBytes: 1e6 })
  t.same(
    publications.map(({ offset, after }) => [offset, after]),
    [
      [begin, 0],
      [begin + 1, undefined],
      [further, begin + 1],
    ],
  )
  while (heard.length < 3) {
    await new Promise(setImmediate)
  }
  t.same(
    heard.map((message) => readChannelMessage(Buffer.from(message))),
    publications.map(({ encoded, ...position }) => ({
      type: 'publication',
      encoded,
      position: { ...position, epoch: before.epoch },
    })),
  )
})

t.test('deletes a stream that has lost an acknowledged publication', async (t) => {
  const { names, publish, history } = open()
  const disown = (position: StreamPosition) => disownLost(redis, names, 'a', position)
  const place = names.place('a')
  for (const data of [1, 2]) {
    await publish('a', data)
  }
  const two = await history('a', { limit: 0 })
  await redis.hset(place, 'line', 'another')
  const { offset, epoch } = (await publish('a', 3)) ?? two
  for (const known of [1, 2, offset]) {
    t.notOk(await disown({ offset: known, epoch }), `${known}`)
  }
  t.notOk(await disown({ offset: 9, epoch: 'other' }), 'another epoch already')
  t.ok(await disown({ offset: 3, epoch }), 'within the gap')
  t.not((await history('a', { limit: -1 })).epoch, epoch)

  const one = await publish('a', 1)
  await redis.hset(place, 'offset', 0)
  t.ok(await disown(one ?? two), 'beyond the end')
  t.same((await history('a', { limit: -1 })).read, [])
})

t.test('publishes once under an idempotency key', async (t) => {
  const { publish, history, names } = open()
  const idempotency = { key: 'k', ttlSeconds: 60 }
  const first = await publish('a', 1, { ...kept, idempotency })
  t.same(await publish('a', 2, { ...kept, idempotency }), first)
  t.same((await history('a', { limit: -1 })).read, [[1, 1]])
  t.match(await publish('b', 3, { ...kept, idempotency }), { offset: 1 }, 'once in each channel')

  const subscriber = redis.duplicate()
  await subscriber.connect()
  t.teardown(() => close(subscriber))
  const heard: string[] = []
  subscriber.on('smessage', (_channel, message) => heard.push(message))
  await subscriber.ssubscribe(names.channel('c'), names.channel('end'))
  await publish('c', 4, { idempotency })
  await publish('c', 5, { idempotency })
  await publish('c', 6, {})
  t.equal(await redis.spublish(names.channel('end'), ''), 1)
  while (heard.at(-1) !== '') {
    await new Promise(setImmediate)
  }
  t.same(heard, ['{"data":4}', '{"data":6}', ''])
})

t.test('publishes no older version of the same epoch', async (t) => {
  const { publish, history } = open()
  const version = (number: number, epoch = 'x') => ({ ...kept, version: { number, epoch } })
  const five = await publish('a', 5, version(5))
  t.match(five, { offset: 1 })
  t.same(await publish('a', 4, version(4)), five, 'returns the end of the stream')
  t.same(await publish('a', 'again', version(5)), five)
  t.match(await publish('a', 10, version(10)), { offset: 2 }, 'compares numbers, not text')
  t.match(await publish('a', 'without', kept), { offset: 3 }, 'a version is not needed')
  t.match(await publish('a', 9, version(9)), { offset: 3 }, 'and the newest is still known')
  t.match(await publish('a', 1, version(1, 'y')), { offset: 4 }, 'another epoch begins anew')
  t.same(
    (await history('a', { limit: -1 })).read.map(([, data]) => data),
    [10, 'without', 1],
    'the history keeps three',
  )
})

t.test('reads the position of a channel, also of one without a stream', async (t) => {
  const { names, publish } = open()
  t.same(await publish('a', 1), await readPosition(redis, names, 'a'))
  t.equal(await readPosition(redis, names, 'nothing'), undefined)
})

t.test('behaves like a list for random channels, data and sizes', async () => {
  const channel = fc.constantFrom('a', 'b{c}', '{', 'chat:1')
  const step = fc.record({ channel, data: fc.jsonValue(), size: fc.integer({ min: 1, max: 5 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { publish, history } = open()
      const model = new Map<string, [number, unknown][]>()
      for (const { channel: name, data, size } of steps) {
        const list = model.get(name) ?? []
        const offset = (list.at(-1)?.[0] ?? 0) + 1
        model.set(name, [...list, [offset, data] satisfies [number, unknown]].slice(-size))
        const at = await publish(name, data, { history: { size, ttlSeconds: 60 } })
        if (at?.offset !== offset) {
          return false
        }
        const { read } = await history(name, { limit: -1 })
        if (JSON.stringify(read) !== JSON.stringify(model.get(name))) {
          return false
        }
      }
      return true
    }),
    { numRuns: 40 },
  )
})

t.test('cuts a read at its bytes, but returns at least one publication', async (t) => {
  const { publish, history } = open()
  const many = { history: { size: 100, ttlSeconds: 60 } }
  for (let n = 1; n <= 80; n += 1) {
    await publish('a', 'x'.repeat(89), many)
  }
  const offsets = async (query: Parameters<typeof history>[1]) =>
    (await history('a', query)).read.map(([offset]) => offset)
  const range = (first: number, last: number) =>
    Array.from({ length: Math.abs(last - first) + 1 }, (_, at) =>
      first < last ? first + at : first - at,
    )
  t.same(await offsets({ limit: -1 }), range(1, 80), 'all, in several pages')
  t.same(await offsets({ limit: 70 }), range(1, 70))
  t.same(await offsets({ limit: -1, maxBytes: 5000 }), range(1, 50))
  t.same(await offsets({ limit: -1, maxBytes: 5000, reverse: true }), range(80, 31))
  const { epoch } = await history('a', { limit: 0 })
  const since = { offset: 50, epoch }
  t.same(await offsets({ limit: -1, maxBytes: 5000, since }), range(51, 80), 'the rest')
  t.same(await offsets({ limit: -1, maxBytes: 1 }), [1])
})
