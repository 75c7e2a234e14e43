import { encodePublication, JsonText, jsonCodec, type StreamPosition } from '@portcullis/protocol'
import fc from 'fast-check'
import t from 'tap'
import { Hub } from '../../src/hub/hub.js'
import type { Member } from '../../src/hub/member.js'
import type { ArrivalPosition, Recovery, StoredPublication } from '../../src/hub/stream.js'

/** A model of Redis: a stream with a history, and a bus that may lose messages. */
class FakeStream {
  epoch = 'e0'
  offset = 0
  size = 100
  /** Maximum number of publications in one read. */
  page = 100
  away = false
  kept: StoredPublication[] = []
  /** Publications that the present master has: `epoch/offset`, in order. */
  lineage: string[] = []
  onMessage: (position: ArrivalPosition, encoded: Buffer) => void = () => undefined
  #forked = false
  #jumps = 0
  /** Messages in flight on the bus. */
  readonly #carried: (() => void)[] = []

  /** `late` messages arrive with `arrive`; `lost` messages never do. */
  publish(how: 'at once' | 'late' | 'lost' = 'at once'): void {
    const after = this.#forked ? { after: this.offset } : {}
    this.offset += this.#forked ? this.#jump() : 1
    this.#forked = false
    const position = { offset: this.offset, epoch: this.epoch, ...after }
    const data = `${this.epoch}/${this.offset}`
    const encoded = encodePublication({ data: JsonText.of(data) })
    this.kept = [...this.kept, { offset: this.offset, ...after, encoded }].slice(-this.size)
    this.lineage.push(data)
    const arrive = () => this.onMessage(position, encoded)
    if (how === 'late') {
      this.#carried.push(arrive)
    } else if (how === 'at once') {
      this.arrive()
      arrive()
    }
  }

  /** Delivers late messages, in order. */
  arrive(): void {
    for (const arrive of this.#carried.splice(0)) {
      arrive()
    }
  }

  /** An offset is practically never used twice; the next offset may be below a lost one. */
  #jump(): number {
    this.#jumps += 1
    return 100_000 - 1000 * this.#jumps
  }

  /** A replica without the last publications becomes master. */
  fork(lost: number): void {
    this.#carried.length = 0
    this.#forked = true
    this.lineage.splice(Math.max(0, this.lineage.length - lost))
    this.kept = this.kept.filter(({ encoded }) => this.lineage.includes(textOf(encoded)))
    const [, offset = '0'] = this.lineage.at(-1)?.split('/') ?? []
    this.offset = Number(offset)
  }

  /** Starts a new epoch if the present master does not know the position. */
  async disown({ offset, epoch }: StreamPosition): Promise<boolean> {
    if (this.away) {
      throw new Error('away')
    }
    if (offset === 0 || epoch !== this.epoch || this.lineage.includes(`${epoch}/${offset}`)) {
      return false
    }
    this.begin()
    return true
  }

  /** Redis loses its data. */
  begin(): void {
    this.#carried.length = 0
    this.epoch = `e${Number(this.epoch.slice(1)) + 1}`
    this.offset = 0
    this.kept = []
    this.lineage = []
    this.#forked = false
  }

  async read(since?: StreamPosition) {
    if (this.away) {
      throw new Error('away')
    }
    const position = { offset: this.offset, epoch: this.epoch }
    const missed =
      since === undefined ? [] : this.kept.filter(({ offset }) => offset > since.offset)
    const publications = missed.slice(0, this.page)
    // The reply takes a while.
    await new Promise(setImmediate)
    return { position, publications }
  }
}

function textOf(encoded: Buffer): string {
  return JSON.parse(encoded.toString()).data
}

interface Subscriber extends Member {
  /** Received publications as `epoch/offset`, recovered or live. */
  readonly got: string[]
  readonly losses: number[]
}

function subscriber(id: string): Subscriber {
  const got: string[] = []
  const losses: number[] = []
  const member: Subscriber = {
    id,
    session: id,
    identity: 'shop',
    subject: id,
    codec: jsonCodec,
    got,
    losses,
    deliver(frame) {
      got.push(JSON.parse(frame.subarray(frame.indexOf('{')).toString()).push.pub.data)
    },
    end: () => undefined,
    hold: () => undefined,
    subscribe: async () => undefined,
    unsubscribe: () => undefined,
    lost: () => losses.push(got.length),
  }
  return member
}

function open(redis = new FakeStream()) {
  const hub = new Hub({
    backplane: {
      join: async () => undefined,
      leave: () => undefined,
      read: (_channel, since) => redis.read(since),
      disown: (_channel, position) => redis.disown(position),
      positions: async () => [
        await redis.read().then(
          ({ position }) => position,
          () => 'unknown' as const,
        ),
      ],
    },
    hasStream: () => true,
  })
  redis.onMessage = (position, encoded) => hub.deliver('a', encoded, position)
  const subscribe = async (member: Subscriber, since?: StreamPosition) => {
    let begin: StreamPosition | Recovery | undefined
    await hub.subscribe('a', member, {
      since,
      enter: (given) => {
        begin = given
        if (given !== undefined && 'publications' in given) {
          for (const { encoded } of given.publications) {
            member.got.push(textOf(encoded))
          }
        }
        return true
      },
    })
    return begin
  }
  return { redis, hub, subscribe }
}

const settled = async () => {
  for (let turn = 0; turn < 6; turn += 1) {
    await new Promise(setImmediate)
  }
}

t.test('delivers publications in order from the present position', async (t) => {
  const { redis, subscribe } = open()
  redis.publish()
  redis.publish()
  const one = subscriber('1')
  t.same(await subscribe(one), { offset: 2, epoch: 'e0' })
  redis.publish()
  redis.publish()
  t.same(one.got, ['e0/3', 'e0/4'])
})

t.test('reads a lost publication from history when the next one arrives', async (t) => {
  const { redis, subscribe } = open()
  const one = subscriber('1')
  await subscribe(one)
  redis.publish()
  redis.publish('lost')
  redis.publish('lost')
  redis.publish()
  redis.publish()
  await settled()
  t.same(one.got, ['e0/1', 'e0/2', 'e0/3', 'e0/4', 'e0/5'])
  t.same(one.losses, [])
})

t.test(
  'reads a long gap in parts for the node, and does not recover it for a client',
  async (t) => {
    const { redis, hub, subscribe } = open()
    redis.page = 3
    const one = subscriber('1')
    await subscribe(one)
    for (let times = 0; times < 8; times += 1) {
      redis.publish('lost')
    }
    await hub.verify()
    t.same(one.got, redis.lineage)
    t.same(one.losses, [])
    const start = { offset: 4, epoch: 'e0' }
    t.match(await subscribe(subscriber('2'), start), { recovered: false, position: { offset: 8 } })
    const near = { offset: 5, epoch: 'e0' }
    t.match(await subscribe(subscriber('3'), near), { recovered: true, position: { offset: 8 } })
  },
)

t.test('finds a lost last publication by comparing positions', async (t) => {
  const { redis, hub, subscribe } = open()
  const one = subscriber('1')
  await subscribe(one)
  redis.publish('lost')
  await hub.verify()
  t.same(one.got, ['e0/1'])
  redis.publish()
  t.same(one.got, ['e0/1', 'e0/2'])
})

t.test('reports to every subscriber what history has lost too', async (t) => {
  const { redis, subscribe } = open()
  const one = subscriber('1')
  await subscribe(one)
  redis.size = 2
  for (let times = 0; times < 3; times += 1) {
    redis.publish('lost')
  }
  redis.publish()
  await settled()
  t.same(one.got, [])
  t.same(one.losses, [0])
})

t.test('reports a new epoch and a stream that went back', async (t) => {
  const { redis, hub, subscribe } = open()
  const one = subscriber('1')
  await subscribe(one)
  redis.publish()
  redis.begin()
  redis.publish()
  await settled()
  t.same(one.losses, [1])
  hub.unsubscribe('a', one)
  const two = subscriber('2')
  await subscribe(two)
  redis.publish()
  redis.publish()
  // A replica without the last two publications has become master.
  redis.offset -= 2
  redis.kept.splice(-2)
  await hub.verify()
  t.same(two.losses, [2])
})

t.test('continues without a report when the new master has everything', async (t) => {
  const { redis, hub, subscribe } = open()
  const one = subscriber('1')
  await subscribe(one)
  redis.publish()
  redis.fork(0)
  redis.publish()
  redis.publish()
  redis.fork(0)
  redis.publish('lost')
  redis.publish()
  await hub.verify()
  t.same(one.got, ['e0/1', 'e0/99001', 'e0/99002', 'e0/197002', 'e0/197003'])
  t.same(one.losses, [])
  const back = subscriber('2')
  const begin = await subscribe(back, { offset: 1, epoch: 'e0' })
  t.match(begin, { recovered: true, position: { offset: 197003 } })
  t.same(back.got, ['e0/99001', 'e0/99002', 'e0/197002', 'e0/197003'])
})

t.test('reports to every subscriber when the new master lacks the last publications', async (t) => {
  const { redis, hub, subscribe } = open()
  const [one, behind] = [subscriber('1'), { offset: 1, epoch: 'e0' }]
  await subscribe(one)
  redis.publish()
  redis.publish()
  redis.fork(1)
  redis.publish()
  await settled()
  t.same(one.got, ['e0/1', 'e0/2'])
  t.same(one.losses, [2])
  hub.unsubscribe('a', one)
  t.match(await subscribe(one, { offset: 2, epoch: 'e0' }), { recovered: false })
  t.match(
    await subscribe(subscriber('2'), behind),
    { recovered: false },
    'a client without them learns of it too',
  )
})

t.test('returns the streams that could not be compared', async (t) => {
  const { redis, hub, subscribe } = open()
  await subscribe(subscriber('1'))
  redis.publish('lost')
  redis.away = true
  t.same(await hub.verify(), ['a'])
  redis.away = false
  t.same(await hub.verify(['a', 'gone']), [])
})

t.test('recovers everything after a position once', async (t) => {
  const { redis, subscribe } = open()
  await subscribe(subscriber('0'))
  for (let times = 0; times < 5; times += 1) {
    redis.publish()
  }
  const one = subscriber('1')
  const begin = subscribe(one, { offset: 2, epoch: 'e0' })
  await new Promise(setImmediate)
  redis.publish()
  t.match(await begin, { recovered: true, position: { offset: 6, epoch: 'e0' } })
  redis.publish()
  t.same(one.got, ['e0/3', 'e0/4', 'e0/5', 'e0/6', 'e0/7'])
})

t.test('an empty epoch stands for the present one', async (t) => {
  const { redis, subscribe } = open()
  await subscribe(subscriber('0'))
  for (let times = 0; times < 3; times += 1) {
    redis.publish()
  }
  const one = subscriber('1')
  const begin = await subscribe(one, { offset: 1, epoch: '' })
  t.match(begin, { recovered: true, position: { offset: 3, epoch: 'e0' } })
  t.same(one.got, ['e0/2', 'e0/3'])
})

t.test('ignores late messages that a recovery has already read', async (t) => {
  const { redis, subscribe } = open()
  const other = subscriber('0')
  await subscribe(other)
  redis.publish('late')
  redis.publish('late')
  const one = subscriber('1')
  await subscribe(one, { offset: 0, epoch: 'e0' })
  redis.arrive()
  redis.publish()
  t.same(one.got, ['e0/1', 'e0/2', 'e0/3'])
  t.same(other.got, one.got)
})

t.test('reports a failed recovery and starts the subscriber at the present position', async (t) => {
  const cases = [
    { offset: 2, epoch: 'e0' },
    { offset: 9, epoch: 'e0' },
    { offset: 5, epoch: 'other' },
    { offset: 0, epoch: '' },
  ]
  for (const since of cases) {
    const { redis, subscribe } = open()
    redis.size = 2
    for (let times = 0; times < 5; times += 1) {
      redis.publish()
    }
    const one = subscriber('1')
    t.match(await subscribe(one, since), { recovered: false, position: { offset: 5 } })
    redis.publish()
    t.same(one.got, ['e0/6'], 'and continues from there')
  }
})

t.test('rejects subscriptions while Redis is away and misses nothing afterwards', async (t) => {
  const { redis, hub, subscribe } = open()
  const one = subscriber('1')
  await subscribe(one)
  redis.away = true
  await t.rejects(subscribe(subscriber('2'), { offset: 0, epoch: 'e0' }), {
    code: 'backplane_unavailable',
  })
  redis.publish('lost')
  redis.publish()
  await settled()
  t.same(one.got, [])
  redis.away = false
  await hub.verify()
  t.same(one.got, ['e0/1', 'e0/2'])
})

t.test(
  'delivers each publication once and in order or reports a loss, in random sequences',
  async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('at once', 'late', 'lost') },
      { weight: 2, arbitrary: fc.constantFrom('arrive', 'verify', 'turn') },
      { weight: 1, arbitrary: fc.constantFrom('recover', 'away', 'back', 'begin') },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(8), async (steps, more) => {
        const { redis, hub, subscribe } = open()
        redis.size = 8
        redis.page = 1 + more
        const members = [subscriber('1')]
        for (const member of members) {
          await subscribe(member)
        }
        for (const each of steps) {
          if (typeof each === 'number') {
            redis.fork(each)
          } else if (each === 'arrive') {
            redis.arrive()
          } else if (each === 'verify') {
            await hub.verify()
          } else if (each === 'turn') {
            await new Promise(setImmediate)
          } else if (each === 'away') {
            redis.away = true
          } else if (each === 'back') {
            redis.away = false
          } else if (each === 'begin') {
            redis.begin()
          } else if (each === 'recover') {
            const member = subscriber(`${members.length}`)
            const since = { offset: Math.max(0, redis.offset - 3), epoch: redis.epoch }
            members.push(member)
            await subscribe(member, since).catch(() => undefined)
          } else {
            redis.publish(each)
          }
        }
        redis.away = false
        redis.arrive()
        await settled()
        await hub.verify()
        redis.publish()
        await settled()
        return members.every(({ got, losses }) => losses.length > 0 || isPart(got, redis.lineage))
      }),
      { numRuns: 500 },
    )
  },
)

/** Returns true when `got` is a consecutive part of `all`. */
function isPart(got: readonly string[], all: readonly string[]): boolean {
  const begin = all.indexOf(got[0] ?? '')
  return got.every((each, at) => each === all[begin + at])
}
