import t, { type Test } from 'tap'
import { next, type OfficialClient, officialClient, socketOf } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  NAMESPACES: JSON.stringify({
    chat: { historySize: 50, recovery: true, presence: true, joinLeave: true },
    short: { historySize: 2, recovery: true },
  }),
}
const one = await realtimeNode(t, environment)
const two = await realtimeNode(t, environment)
const scope = 'subscribe:* publish:* presence:* history:*'
const backend = auth.issue({ identity: 'shop', subject: 'shop', scope })

/** Destroys the client's connection; the client reconnects. */
const cut = (centrifuge: OfficialClient): void => socketOf(centrifuge).terminate()

const publish = (channel: string, data: unknown) => one.api('publish', backend, { channel, data })

for (const build of ['json', 'protobuf'] as const) {
  const client = (t: Test, url: string, subject: string): OfficialClient => {
    const token = auth.issue({ subject, scope })
    const centrifuge = officialClient(t, url, () => token, { build })
    centrifuge.connect()
    return centrifuge
  }
  /** The Protobuf build receives JSON data as bytes. */
  const parsed = (data: unknown): unknown =>
    data instanceof Uint8Array ? JSON.parse(Buffer.from(data).toString()) : data
  const bytesOf = (data: unknown): unknown =>
    build === 'json' ? data : Buffer.from(JSON.stringify(data))

  t.test(
    `${build}: continues from an offset that its application has, without an epoch`,
    async (t) => {
      const centrifuge = client(t, two.wsUrl, 'ada')
      const channel = `chat:state-${build}`
      for (const data of ['a', 'b', 'c']) {
        await publish(channel, data)
      }
      const subscription = centrifuge.newSubscription(channel, {
        getState: async () => ({ offset: 1, epoch: '' }),
      })
      const heard: unknown[] = []
      subscription.on('publication', ({ data }) => heard.push(parsed(data)))
      subscription.subscribe()
      t.match(await next(subscription, 'subscribed'), { wasRecovering: true, recovered: true })
      await publish(channel, 'd')
      await next(subscription, 'publication')
      t.same(heard, ['b', 'c', 'd'])
    },
  )

  t.test(`${build}: gets each publication once and in order after interruptions`, async (t) => {
    const centrifuge = client(t, two.wsUrl, 'ada')
    const subscription = centrifuge.newSubscription(`chat:cut-${build}`)
    const heard: unknown[] = []
    const last = new Promise<void>((resolve) => {
      subscription.on('publication', ({ data }) => {
        heard.push(parsed(data))
        if (parsed(data) === 30) {
          resolve()
        }
      })
    })
    subscription.subscribe()
    t.match(await next(subscription, 'subscribed'), { recoverable: true, positioned: true })
    for (let data = 1; data <= 10; data += 1) {
      await publish(`chat:cut-${build}`, data)
    }
    const gone = next(subscription, 'subscribing')
    cut(centrifuge)
    await gone
    const back = next(subscription, 'subscribed')
    for (let data = 11; data <= 20; data += 1) {
      await publish(`chat:cut-${build}`, data)
    }
    t.match(await back, { wasRecovering: true, recovered: true })
    for (let data = 21; data <= 30; data += 1) {
      await publish(`chat:cut-${build}`, data)
    }
    await last
    t.same(
      heard,
      Array.from({ length: 30 }, (_, at) => at + 1),
    )
  })

  t.test(`${build}: learns that it missed more than history has`, async (t) => {
    const centrifuge = client(t, one.wsUrl, 'ada')
    const subscription = centrifuge.newSubscription(`short:${build}`)
    subscription.subscribe()
    await next(subscription, 'subscribed')
    centrifuge.disconnect()
    for (const data of [1, 2, 3]) {
      await publish(`short:${build}`, data)
    }
    const back = next(subscription, 'subscribed')
    centrifuge.connect()
    t.match(await back, { wasRecovering: true, recovered: false })
    const heard = next<{ data: unknown }>(subscription, 'publication')
    await publish(`short:${build}`, 4)
    t.equal(parsed((await heard).data), 4, 'continues from there')
  })

  t.test(`${build}: reads history and presence, and gets joins and leaves`, async (t) => {
    const ada = client(t, one.wsUrl, 'ada')
    const bob = client(t, two.wsUrl, 'bob')
    const room = ada.newSubscription(`chat:room-${build}`, { joinLeave: true })
    room.subscribe()
    await next(room, 'subscribed')
    const joined = new Promise<string>((resolve) => {
      room.on('join', ({ info: { user } }) => {
        if (user === 'bob') {
          resolve(user)
        }
      })
    })
    const bobs = bob.newSubscription(`chat:room-${build}`)
    bobs.subscribe()
    await next(bobs, 'subscribed')
    t.equal(await joined, 'bob')
    const { clients } = await room.presence()
    t.same(
      Object.values(clients)
        .map(({ user }) => user)
        .sort(),
      ['ada', 'bob'],
    )
    t.match(await room.presenceStats(), { numClients: 2, numUsers: 2 })
    for (const data of ['x', 'y', 'z']) {
      await bobs.publish(bytesOf(data))
    }
    const history = await room.history({ limit: 10 })
    t.match(
      history.publications.map(({ data, offset, info }) => [parsed(data), offset, info?.user]),
      [
        ['x', 1, 'bob'],
        ['y', 2, 'bob'],
        ['z', 3, 'bob'],
      ],
    )
    const since = { offset: 1, epoch: history.epoch }
    t.equal(
      (await room.history({ limit: 1, since })).publications.map(({ data }) => parsed(data))[0],
      'y',
    )
    t.equal(
      (await room.history({ limit: 1, reverse: true })).publications.map(({ data }) =>
        parsed(data),
      )[0],
      'z',
    )
    const left = next<{ info: { user: string } }>(room, 'leave')
    bobs.unsubscribe()
    t.equal((await left).info.user, 'bob')
  })
}
