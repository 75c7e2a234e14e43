import { once } from 'node:events'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { next, type OfficialClient, officialClient, socketOf } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'
import { expiredToken } from '../fixtures/unsigned-token.js'

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  // Prevents pings between the expected messages.
  PING_INTERVAL_MS: '3600000',
  NAMESPACES: JSON.stringify({
    chat: { historySize: 50, recovery: true, presence: true, joinLeave: true },
    short: { historySize: 2, recovery: true },
  }),
})
const scope = 'subscribe:* publish:* presence:* history:*'
const backend = auth.issue({ subject: 'shop', scope })
const publish = (channel: string, data: unknown) => node.api('publish', backend, { channel, data })

/**
 * Returns the shortest lifetime, in seconds, that leaves a client one second for refreshing its
 * token: the announced ttl is nine tenths of the remainder, in whole seconds, and tokens expire at
 * whole seconds.
 */
function shortLifetime(): number {
  const begun = (Date.now() % 1000) / 1000
  let seconds = 3
  while (seconds - begun - Math.floor((seconds - begun) * 0.9) < 0.9) {
    seconds += 1
  }
  return seconds
}

for (const build of ['json', 'protobuf'] as const) {
  const client = (t: Test, permitted = scope): OfficialClient => {
    const token = auth.issue({ scope: permitted })
    const centrifuge = officialClient(t, node.wsUrl, () => token, { build })
    centrifuge.connect()
    return centrifuge
  }
  const toSend = (data: unknown): unknown =>
    build === 'json' ? data : Buffer.from(JSON.stringify(data))
  const received = ({ data }: { data: unknown }): unknown =>
    data instanceof Uint8Array ? JSON.parse(Buffer.from(data).toString()) : data

  t.test(`${build}: fetches a subscription token and renews it in time`, async (t) => {
    const centrifuge = client(t, 'publish:*')
    const grant = (ttlSeconds: number) => auth.issue({ scope: 'subscribe:private', ttlSeconds })
    const tokens = [grant(shortLifetime()), grant(3600)]
    const asked: string[] = []
    const subscription = centrifuge.newSubscription('private', {
      getToken: async ({ channel }) => {
        asked.push(channel)
        return tokens[asked.length - 1] ?? ''
      },
    })
    subscription.subscribe()
    await subscription.ready()
    // The next message on this connection is the reply to `sub_refresh`.
    await once(socketOf(centrifuge), 'message')
    await auth.revoke({ token: tokens[0] ?? '' })
    const heard = next<{ data: unknown }>(subscription, 'publication')
    await publish('private', 1)
    t.equal(received(await heard), 1, 'the first token no longer counts')
    t.same(asked, ['private', 'private'])
    const unsubscribed = next(subscription, 'unsubscribed')
    await auth.revoke({ token: tokens[1] ?? '' })
    t.match(await unsubscribed, { code: 2001 })
    t.equal(centrifuge.state, 'connected')
  })

  t.test(`${build}: fetches another subscription token when the first is stale`, async (t) => {
    const centrifuge = client(t, 'publish:*')
    const subscription = centrifuge.newSubscription('private', {
      token: expiredToken,
      getToken: async () => auth.issue({ scope: 'subscribe:private' }),
      minResubscribeDelay: 1,
      maxResubscribeDelay: 5,
    })
    const error = next(subscription, 'error')
    subscription.subscribe()
    t.match(await error, { type: 'subscribe', error: { code: 109 } })
    await subscription.ready()
  })

  t.test(`${build}: asks for no other token when one was revoked`, async (t) => {
    const centrifuge = client(t, 'publish:*')
    const revoked = auth.issue({ scope: 'subscribe:private' })
    await auth.revoke({ token: revoked })
    const subscription = centrifuge.newSubscription('private', {
      token: revoked,
      getToken: async () => {
        t.fail('asked')
        return revoked
      },
    })
    subscription.subscribe()
    t.match(await next(subscription, 'unsubscribed'), { code: 103 })
  })

  t.test(`${build}: offers methods on subscriptions and on the client`, async (t) => {
    const centrifuge = client(t)
    const channel = `chat:asked-${build}`
    const subscription = centrifuge.newSubscription(channel)
    subscription.subscribe()
    await subscription.ready()
    await centrifuge.publish(channel, toSend('x'))
    await subscription.publish(toSend('y'))
    const { publications, offset, epoch } = await centrifuge.history(channel, { limit: 10 })
    t.same(publications.map(received), ['x', 'y'])
    const last = await centrifuge.history(channel, { limit: 1, since: { offset: 1, epoch } })
    t.same(last.publications.map(received), ['y'])
    t.equal(offset, 2)
    await t.rejects(
      centrifuge.history(channel, { limit: 1, since: { offset: 1, epoch: 'other' } }),
      { code: 112 },
    )
    t.equal(Object.keys((await centrifuge.presence(channel)).clients).length, 1)
    t.match(await centrifuge.presenceStats(channel), { numClients: 1, numUsers: 1 })
    await t.rejects(centrifuge.history('plain', { limit: 1 }), { code: 108 })
    await t.rejects(centrifuge.presence('plain'), { code: 108 })
    await t.rejects(centrifuge.presenceStats('plain'), { code: 108 })
  })

  t.test(
    `${build}: unsubscribes, subscribes again, and replaces a removed subscription`,
    async (t) => {
      const centrifuge = client(t)
      const subscription = centrifuge.newSubscription('plain')
      const states: string[] = []
      subscription.on('state', ({ newState }) => states.push(newState))
      const heard: unknown[] = []
      subscription.on('publication', (publication) => heard.push(received(publication)))
      subscription.subscribe()
      await subscription.ready()
      subscription.unsubscribe()
      await centrifuge.publish('plain', toSend('unheard'))
      subscription.subscribe()
      await subscription.ready()
      const arrived = next(subscription, 'publication')
      await centrifuge.publish('plain', toSend('again'))
      await arrived
      t.same(heard, ['again'])
      t.same(states, ['subscribing', 'subscribed', 'unsubscribed', 'subscribing', 'subscribed'])

      t.throws(() => centrifuge.newSubscription('plain'), 'the subscription exists')
      centrifuge.removeSubscription(subscription)
      t.equal(centrifuge.getSubscription('plain'), null)
      const anew = centrifuge.newSubscription('plain')
      anew.subscribe()
      await anew.ready()
      t.same(Object.keys(centrifuge.subscriptions()), ['plain'])
      const once = next<{ data: unknown }>(anew, 'publication')
      await centrifuge.publish('plain', toSend('anew'))
      t.equal(received(await once), 'anew')
      t.same(heard, ['again'], 'a removed subscription receives nothing')
    },
  )

  t.test(`${build}: subscribes in the same message as connect`, async (t) => {
    const token = auth.issue({ scope })
    const sent: string[] = []
    class Overheard extends WebSocket {
      constructor(url: string, protocols: string | string[] = []) {
        super(url, ['portcullis', `bearer.${token}`, ...[protocols].flat()])
      }
      override send(data: string | Buffer): void {
        sent.push(data.toString())
        super.send(data)
      }
    }
    const options = { build, websocket: Overheard }
    const centrifuge = officialClient(t, node.wsUrl, () => token, options)
    const subscription = centrifuge.newSubscription('plain')
    subscription.subscribe()
    centrifuge.connect()
    await subscription.ready()
    t.equal(sent.length, 1)
    t.match(sent[0], 'plain')
  })

  t.test(`${build}: starts at the position that the application sets`, async (t) => {
    const channel = `chat:since-${build}`
    for (const data of [1, 2, 3]) {
      await publish(channel, data)
    }
    const centrifuge = client(t)
    const { epoch } = await centrifuge.history(channel)
    const heard = (subscription: ReturnType<OfficialClient['newSubscription']>) => {
      const all: unknown[] = []
      return new Promise<unknown[]>((resolve) => {
        subscription.on('publication', (publication) => {
          all.push(received(publication))
          if (received(publication) === 3) {
            resolve(all)
          }
        })
      })
    }
    const since = centrifuge.newSubscription(channel, { since: { offset: 1, epoch } })
    const missed = heard(since)
    since.subscribe()
    t.match(await next(since, 'subscribed'), { wasRecovering: true, recovered: true })
    t.same(await missed, [2, 3])
    centrifuge.removeSubscription(since)

    const state = centrifuge.newSubscription(channel, {
      getState: async () => ({ offset: 2, epoch }),
    })
    const changes = heard(state)
    state.subscribe()
    await state.ready()
    t.same(await changes, [3])
  })

  t.test(`${build}: loads state through the application when too much was missed`, async (t) => {
    const channel = `short:state-${build}`
    const centrifuge = client(t)
    await publish(channel, 0)
    let asked = 0
    const subscription = centrifuge.newSubscription(channel, {
      getState: async () => {
        asked += 1
        const { offset, epoch } = await centrifuge.history(channel)
        return { offset, epoch }
      },
    })
    subscription.subscribe()
    await subscription.ready()
    centrifuge.disconnect()
    for (const data of [1, 2, 3]) {
      await publish(channel, data)
    }
    centrifuge.connect()
    await next(subscription, 'subscribed')
    t.equal(asked, 2)
  })

  t.test(`${build}: the namespace decides over requested options`, async (t) => {
    const centrifuge = client(t)
    const flags = { positioned: true, recoverable: true, joinLeave: true }
    const subscribed = async (channel: string, options: object) => {
      const subscription = centrifuge.newSubscription(channel, options)
      const subscribed = next(subscription, 'subscribed')
      subscription.subscribe()
      return subscribed
    }
    t.match(await subscribed('plain', flags), { positioned: false, recoverable: false })
    t.match(await subscribed(`chat:flags-${build}`, {}), { positioned: true, recoverable: true })

    const blind = client(t, 'subscribe:*').newSubscription('chat:joins', { joinLeave: true })
    const unsubscribed = next(blind, 'unsubscribed')
    blind.subscribe()
    t.match(await unsubscribed, { code: 103 }, 'joins and leaves need the presence scope')
  })

  t.test(`${build}: gets an error for maps and shared polls`, async (t) => {
    const centrifuge = client(t)
    const subscriptions = [
      centrifuge.newMapSubscription('map'),
      centrifuge.newMapClientsSubscription('clients'),
      centrifuge.newMapUsersSubscription('users'),
      centrifuge.newSharedPollSubscription('poll', {
        getSignature: async () => ({ signature: 'x', keys: [] }),
      }),
    ]
    for (const subscription of subscriptions) {
      const unsubscribed = next(subscription, 'unsubscribed')
      subscription.subscribe()
      t.match(await unsubscribed, { code: 108, reason: 'not available' }, subscription.channel)
    }
    t.equal(centrifuge.state, 'connected')
  })
}
