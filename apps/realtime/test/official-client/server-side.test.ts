import t, { type Test } from 'tap'
import { next, type OfficialClient, officialClient, socketOf } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  NAMESPACES: JSON.stringify({
    user: { historySize: 50, recovery: true, presence: true, joinLeave: true },
  }),
  SERVER_SUBSCRIPTIONS: 'user:{sub} news not-for-users',
}
const one = await realtimeNode(t, environment)
const two = await realtimeNode(t, environment)
const scope = 'subscribe:user:{sub} subscribe:news presence:user:{sub}'
const backend = auth.issue({
  subject: 'shop',
  scope: 'publish:* subscribe:* tokens:issue tokens:revoke',
})

const publish = (channel: string, data: unknown) => one.api('publish', backend, { channel, data })

/** Resolves with the next event of this name for this channel. */
const nextIn = <Context extends { channel: string }>(
  centrifuge: OfficialClient,
  event: 'subscribed' | 'subscribing' | 'unsubscribed' | 'publication' | 'join' | 'leave',
  channel: string,
): Promise<Context> =>
  new Promise((resolve) => {
    const listener = (context: { channel: string }) => {
      if (context.channel !== channel) {
        return
      }
      centrifuge.removeListener(event, listener)
      resolve(context as Context)
    }
    centrifuge.on(event, listener)
  })

for (const build of ['json', 'protobuf'] as const) {
  const client = (t: Test, subject: string): OfficialClient => {
    const token = auth.issue({ subject, scope })
    return officialClient(t, two.wsUrl, () => token, { build })
  }
  /** The Protobuf build receives JSON data as bytes. */
  const parsed = (data: unknown): unknown =>
    data instanceof Uint8Array ? JSON.parse(Buffer.from(data).toString()) : data

  t.test(`${build}: is subscribed to permitted server channels when it connects`, async (t) => {
    const ada = client(t, `ada-${build}`)
    const channel = `user:ada-${build}`
    const entered = new Set<string>()
    ada.on('subscribed', (context) => entered.add(context.channel))
    const both = [nextIn(ada, 'subscribed', channel), nextIn(ada, 'subscribed', 'news')]
    const joined = nextIn<{ channel: string; info: { user: string } }>(ada, 'join', channel)
    ada.connect()
    t.match(await Promise.all(both), [
      { channel, recoverable: true, positioned: true, wasRecovering: false },
      { channel: 'news', recoverable: false, positioned: false },
    ])
    t.same([...entered].sort(), ['news', channel])
    t.equal((await joined).info.user, `ada-${build}`, 'its own join')
    const heard = [nextIn(ada, 'publication', channel), nextIn(ada, 'publication', 'news')]
    await publish(channel, { to: 'ada' })
    await publish('news', [1])
    const data = (await Promise.all(heard)).map((each) => parsed(Reflect.get(each, 'data')))
    t.same(data, [{ to: 'ada' }, [1]])
    const other = client(t, `ada-${build}`)
    const left = nextIn<{ channel: string; info: { client: string } }>(ada, 'leave', channel)
    const connected = next<{ client: string }>(other, 'connected')
    const there = nextIn(other, 'subscribed', channel)
    other.connect()
    const { client: id } = await connected
    await there
    other.disconnect()
    t.equal((await left).info.client, id)
  })

  t.test(`${build}: gets each publication once and in order after an interruption`, async (t) => {
    const channel = `user:cut-${build}`
    const centrifuge = client(t, `cut-${build}`)
    const heard: unknown[] = []
    const last = new Promise<void>((resolve) => {
      centrifuge.on('publication', ({ channel: from, data }) => {
        if (from !== channel) {
          return
        }
        heard.push(parsed(data))
        if (parsed(data) === 60) {
          resolve()
        }
      })
    })
    const first = nextIn(centrifuge, 'subscribed', channel)
    centrifuge.connect()
    await first
    for (let data = 1; data <= 60; data += 1) {
      if (data === 11 || data === 41) {
        const gone = nextIn(centrifuge, 'subscribing', channel)
        const back = nextIn(centrifuge, 'subscribed', channel)
        socketOf(centrifuge).terminate()
        await gone
        // Publishes during the interruption, during the reconnect, and afterwards.
        for (const until = data + 15; data < until; data += 1) {
          await publish(channel, data)
        }
        t.match(await back, { wasRecovering: true, recovered: true })
      }
      await publish(channel, data)
    }
    await last
    t.same(
      heard,
      Array.from({ length: 60 }, (_, at) => at + 1),
    )
  })

  t.test(`${build}: learns that it missed more than history has`, async (t) => {
    const channel = `user:late-${build}`
    const centrifuge = client(t, `late-${build}`)
    const first = nextIn(centrifuge, 'subscribed', channel)
    centrifuge.connect()
    await first
    centrifuge.disconnect()
    for (let data = 1; data <= 51; data += 1) {
      await publish(channel, data)
    }
    const back = nextIn(centrifuge, 'subscribed', channel)
    centrifuge.connect()
    t.match(await back, { wasRecovering: true, recovered: false })
    const heard = nextIn<{ channel: string; data: unknown }>(centrifuge, 'publication', channel)
    await publish(channel, 'new')
    t.equal(parsed((await heard).data), 'new', 'continues from there')
  })

  t.test(
    `${build}: is subscribed and unsubscribed by the server API of another node`,
    async (t) => {
      const user = `api-${build}`
      const centrifuge = client(t, user)
      centrifuge.connect()
      await centrifuge.ready()
      const channel = `room-${build}`
      const entered = nextIn<{ channel: string; data: unknown }>(centrifuge, 'subscribed', channel)
      await one.api('subscribe', backend, { user, channel, data: { title: 'Room' } })
      t.same(parsed((await entered).data), { title: 'Room' })
      const heard = nextIn<{ channel: string; data: unknown }>(centrifuge, 'publication', channel)
      await publish(channel, 'hello')
      t.equal(parsed((await heard).data), 'hello')
      const out = nextIn(centrifuge, 'unsubscribed', channel)
      await one.api('unsubscribe', backend, { user, channel })
      await out
      const again = nextIn(centrifuge, 'subscribed', channel)
      await one.api('subscribe', backend, { user, channel })
      await again
      // The subscription ends with the connection.
      const ended = nextIn(centrifuge, 'unsubscribed', channel)
      socketOf(centrifuge).terminate()
      await ended
    },
  )

  t.test(`${build}: the server API ends a subscription that the client requested`, async (t) => {
    const user = `own-${build}`
    const token = auth.issue({ subject: user, scope: 'subscribe:*' })
    const centrifuge = officialClient(t, two.wsUrl, () => token, { build })
    centrifuge.connect()
    const own = centrifuge.newSubscription(`own-${build}`)
    own.subscribe()
    await next(own, 'subscribed')
    const ended = next<{ code: number }>(own, 'unsubscribed')
    await one.api('unsubscribe', backend, { user, channel: own.channel })
    t.equal((await ended).code, 2000)
    t.equal(own.state, 'unsubscribed')
  })

  t.test(`${build}: a refresh ends subscriptions that the new token does not permit`, async (t) => {
    const subject = `refresh-${build}`
    const tokens = [
      auth.issue({ subject, scope, ttlSeconds: 2 }),
      auth.issue({ subject, scope: 'subscribe:news' }),
    ]
    let dialled = 0
    const token = () => tokens[Math.min(dialled, 1)] ?? ''
    const centrifuge = officialClient(t, two.wsUrl, token, { build, getToken: async () => token() })
    const out = nextIn(centrifuge, 'unsubscribed', `user:${subject}`)
    centrifuge.on('unsubscribed', ({ channel }) => t.equal(channel, `user:${subject}`))
    centrifuge.connect()
    await centrifuge.ready()
    dialled = 1
    await out
    t.equal(centrifuge.state, 'connected')
  })

  t.test(`${build}: a revocation ends all subscriptions`, async (t) => {
    const subject = `revoked-${build}`
    const token = auth.issue({ subject, scope })
    const centrifuge = officialClient(t, two.wsUrl, () => token, { build })
    const entered = nextIn(centrifuge, 'subscribed', 'news')
    centrifuge.connect()
    await entered
    const ended = next<{ code: number }>(centrifuge, 'disconnected')
    await auth.revoke({ token })
    t.equal((await ended).code, 4500)
  })
}
