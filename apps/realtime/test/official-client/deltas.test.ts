import fc from 'fast-check'
import t, { type Test } from 'tap'
import { next, type OfficialClient, officialClient, socketOf } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const stream = { historySize: 100, recovery: true }
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  NAMESPACES: JSON.stringify({
    doc: { ...stream, delta: true, tagsFilter: true },
    live: { delta: true, tagsFilter: true },
    plain: stream,
  }),
}
const nodes = [await realtimeNode(t, environment), await realtimeNode(t, environment)] as const
const [one, two] = nodes
const scope = 'subscribe:* publish:*'
const backend = auth.issue({ identity: 'shop', subject: 'shop', scope })
const builds = ['json', 'protobuf'] as const

interface Place {
  offset: number
  epoch: string
}

/** Publishes and returns the position of the publication. */
const publish = async (channel: string, data: unknown, kind = 'none'): Promise<Place> => {
  const { body } = await one.api('publish', backend, { channel, data, tags: { kind } })
  const result: unknown = Reflect.get(Object(body), 'result')
  if (result === undefined) {
    throw new Error(JSON.stringify(body))
  }
  return Object(result)
}

const goals = { key: 'kind', cmp: 'eq', val: 'goal' } as const

function client(t: Test, build: (typeof builds)[number], url: string): OfficialClient {
  const token = auth.issue({ subject: 'ada', scope })
  const centrifuge = officialClient(t, url, () => token, { build })
  centrifuge.connect()
  return centrifuge
}

type SubscriptionOptions = Parameters<OfficialClient['newSubscription']>[1] & object

/** A subscription that records publications. */
async function listen(
  centrifuge: OfficialClient,
  channel: string,
  options: SubscriptionOptions = {},
) {
  const subscription = centrifuge.newSubscription(channel, options)
  const heard: unknown[] = []
  const waiting = new Set<() => void>()
  subscription.on('publication', ({ data }) => {
    heard.push(data instanceof Uint8Array ? textOf(data) : data)
    for (const look of waiting) {
      look()
    }
  })
  const subscribed = next(subscription, 'subscribed')
  subscription.subscribe()
  await subscribed
  /** Resolves after this many publications. */
  const count = (wanted: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (heard.length < wanted) {
          return
        }
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return { subscription, heard, count }
}

/** Parses JSON; returns other bytes unchanged. */
function textOf(data: Uint8Array): unknown {
  const text = Buffer.from(data).toString('latin1')
  try {
    return JSON.parse(Buffer.from(data).toString())
  } catch {
    return text
  }
}

/** A score sheet: a document with few changes between publications. */
const state = (minute: number) => ({
  home: { name: 'Динамо', goals: Math.floor(minute / 20) },
  away: { name: 'Ђерзелез', goals: Math.floor(minute / 33) },
  venue: 'a name that does not change while the match is going on',
  minute,
})
const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at)

for (const build of builds) {
  t.test(
    `${build}: gets each publication once, in order and unchanged, after interruptions`,
    async (t) => {
      const channel = `doc:cut-${build}`
      const centrifuge = client(t, build, two.wsUrl)
      const { subscription, heard, count } = await listen(centrifuge, channel, { delta: 'fossil' })
      for (const minute of upTo(20)) {
        await publish(channel, state(minute))
      }
      await count(20)
      const gone = next(subscription, 'subscribing')
      socketOf(centrifuge).terminate()
      await gone
      const back = next(subscription, 'subscribed')
      for (const minute of upTo(40, 21)) {
        await publish(channel, state(minute))
      }
      t.match(await back, { wasRecovering: true, recovered: true })
      for (const minute of upTo(60, 41)) {
        await publish(channel, state(minute))
      }
      await count(60)
      t.same(heard, upTo(60).map(state))
      const { numPublications, numDeltaPayloads, compressionRatio } = subscription.deltaStats()
      t.equal(numPublications, 60)
      t.ok(numDeltaPayloads >= 20, `${numDeltaPayloads} deltas`)
      t.ok(compressionRatio > 0.2, `${compressionRatio} saved`)
    },
  )

  t.test(`${build}: continues with a whole publication when nothing is recovered`, async (t) => {
    const channel = `doc:idle-${build}`
    const centrifuge = client(t, build, one.wsUrl)
    const { subscription, heard, count } = await listen(centrifuge, channel, { delta: 'fossil' })
    await publish(channel, state(1))
    await count(1)
    const back = next(subscription, 'subscribed')
    socketOf(centrifuge).terminate()
    t.match(await back, { wasRecovering: true, recovered: true })
    for (const minute of [2, 3]) {
      await publish(channel, state(minute))
    }
    await count(3)
    t.same(heard, upTo(3).map(state))
  })

  t.test(`${build}: starts at a position without a previous publication`, async (t) => {
    const channel = `doc:since-${build}`
    const places: Place[] = []
    for (const minute of upTo(3)) {
      places.push(await publish(channel, state(minute)))
    }
    const [begin, , end] = places
    if (begin === undefined || end === undefined) {
      throw new Error('not published')
    }
    const from = (since: Place) =>
      listen(client(t, build, two.wsUrl), channel, { delta: 'fossil', since })
    const [late, latest] = [await from(begin), await from(end)]
    await publish(channel, state(4))
    await publish(channel, state(5))
    await Promise.all([late.count(4), latest.count(2)])
    t.same(late.heard, upTo(5, 2).map(state))
    t.same(latest.heard, upTo(5, 4).map(state))
  })

  t.test(`${build}: filters publications, also after an interruption`, async (t) => {
    const channel = `doc:filter-${build}`
    const centrifuge = client(t, build, two.wsUrl)
    const tagged = (n: number) => publish(channel, n, n % 3 === 0 ? 'goal' : 'card')
    const { subscription, heard, count } = await listen(centrifuge, channel, { tagsFilter: goals })
    for (const n of upTo(10)) {
      await tagged(n)
    }
    await count(3)
    const gone = next(subscription, 'subscribing')
    socketOf(centrifuge).terminate()
    await gone
    const back = next(subscription, 'subscribed')
    for (const n of upTo(20, 11)) {
      await tagged(n)
    }
    t.match(await back, { wasRecovering: true, recovered: true })
    for (const n of upTo(30, 21)) {
      await tagged(n)
    }
    await count(10)
    t.same(
      heard,
      upTo(10).map((n) => 3 * n),
    )
  })

  t.test(`${build}: gets whole publications where deltas and filters are off`, async (t) => {
    const centrifuge = client(t, build, one.wsUrl)
    const filtered = centrifuge.newSubscription(`plain:${build}-filter`, { tagsFilter: goals })
    const refused = next<{ code: number }>(filtered, 'unsubscribed')
    filtered.subscribe()
    t.equal((await refused).code, 107)
    const channel = `plain:${build}`
    const { subscription, heard, count } = await listen(centrifuge, channel, { delta: 'fossil' })
    for (const minute of upTo(3)) {
      await publish(channel, state(minute))
    }
    await count(3)
    t.same(heard, upTo(3).map(state))
    t.equal(subscription.deltaStats().numPublications, 0)
  })
}

for (const channel of ['doc:mixed', 'live:mixed']) {
  t.test(`${channel}: serves subscribers with all options in one channel`, async (t) => {
    const optionSets: SubscriptionOptions[] = [{}, { delta: 'fossil' }, { tagsFilter: goals }]
    const listeners = await Promise.all(
      nodes.flatMap(({ wsUrl }) =>
        builds.flatMap((build) =>
          optionSets.map(async (options) => ({
            build,
            filtered: 'tagsFilter' in options,
            ...(await listen(client(t, build, wsUrl), channel, options)),
          })),
        ),
      ),
    )
    const publisher = await listen(client(t, 'protobuf', two.wsUrl), channel)
    const bytes = (n: number) => Buffer.from(`\xff not JSON, and long enough: ${n}`, 'latin1')
    for (const n of upTo(12)) {
      if (n % 4 === 0) {
        await publisher.subscription.publish(bytes(n))
      } else {
        await publish(channel, state(n), n % 3 === 0 ? 'goal' : 'card')
      }
    }
    for (const { build, filtered, heard, count } of listeners) {
      const expected = upTo(12)
        .filter((n) => !filtered || (n % 3 === 0 && n % 4 !== 0))
        .map((n) =>
          n % 4 === 0 ? bytes(n).toString(build === 'json' ? 'base64' : 'latin1') : state(n),
        )
      await count(expected.length)
      t.same(heard, expected, build)
    }
  })
}

t.test('delivers random data unchanged', async () => {
  // The server API refuses bodies with these property names.
  const json = fc
    .jsonValue({ maxDepth: 2 })
    .filter((each) => !/"(?:__proto__|constructor)"/.test(JSON.stringify(each)))
  const value = fc.oneof(json, fc.string({ unit: 'grapheme' }))
  const change = fc.record({ at: fc.nat(9), value })
  const listeners = builds.map((build) => client(t, build, two.wsUrl))
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      run += 1
      const channel = `${run % 2 === 0 ? 'live' : 'doc'}:any-${run}`
      const all = await Promise.all(
        listeners.map((centrifuge) => listen(centrifuge, channel, { delta: 'fossil' })),
      )
      const fields: unknown[] = Array(10).fill('a text that stays the same')
      const expected: string[] = []
      for (const { at, value } of changes) {
        fields[at] = value
        expected.push(JSON.stringify(fields))
        await publish(channel, fields)
      }
      for (const { subscription, heard, count } of all) {
        await count(expected.length)
        subscription.unsubscribe()
        if (!heard.every((data, at) => JSON.stringify(data) === expected[at])) {
          return false
        }
      }
      return true
    }),
    { numRuns: 10 },
  )
})
