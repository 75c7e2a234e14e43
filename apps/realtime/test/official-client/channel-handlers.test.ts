import t, { type Test } from 'tap'
import { application, type HandlerAnswer, type HandlerRequest } from '../fixtures/application.js'
import { settled } from '../fixtures/memory-node.js'
import { next, type OfficialClient, officialClient } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
let answer: (request: HandlerRequest) => HandlerAnswer | Promise<HandlerAnswer> = () => ({
  result: {},
})
const app = await application(t, (request) => answer(request))
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  NAMESPACES: JSON.stringify({ room: { historySize: 10, presence: true } }),
  HANDLER_TIMEOUT_MS: '400',
  HANDLERS: JSON.stringify({
    subscribe: { room: `${app.url}/subscribe` },
    publish: { room: `${app.url}/publish` },
    sub_refresh: { room: `${app.url}/sub_refresh` },
  }),
})
const scope = 'subscribe:* publish:* presence:* history:*'
const server = auth.issue({ subject: 'shop', scope: `${scope} tokens:issue` })
const hang = (): HandlerAnswer => () => undefined

/** Resolves with the first request of the user to the path. */
async function requestOf(user: string, path: string): Promise<HandlerRequest> {
  for (let count = 1; ; count += 1) {
    await app.received(count)
    const request = app.requests[count - 1]
    if (request?.path === path && request.body['user'] === user) {
      return request
    }
  }
}

for (const build of ['json', 'protobuf'] as const) {
  const client = (t: Test, token: string): OfficialClient => {
    const centrifuge = officialClient(t, node.wsUrl, () => token, { build })
    centrifuge.connect()
    return centrifuge
  }
  const connect = async (t: Test, subject: string) => {
    const token = auth.issue({ subject, scope })
    const centrifuge = client(t, token)
    await next(centrifuge, 'connected')
    return { token, centrifuge }
  }
  const toSend = (data: unknown): unknown =>
    build === 'json' ? data : Buffer.from(JSON.stringify(data))
  const received = (data: unknown): unknown =>
    data instanceof Uint8Array ? JSON.parse(Buffer.from(data).toString()) : data

  t.test(`${build}: the application decides who subscribes`, async (t) => {
    const user = `ada-${build}`
    const { centrifuge } = await connect(t, user)
    answer = ({ body }) => ({ result: { data: { title: 'Room', got: body['data'] } } })
    const channel = `room:${build}`
    const subscription = centrifuge.newSubscription(channel, { data: toSend({ nick: 'a' }) })
    subscription.subscribe()
    const { data } = await next<{ data: unknown }>(subscription, 'subscribed')
    t.same(received(data), { title: 'Room', got: { nick: 'a' } })
    t.match((await requestOf(user, '/subscribe')).body, { channel, scope, protocol: build })

    answer = () => ({ error: { code: 1000, message: 'the room is full' } })
    const refused = centrifuge.newSubscription(`room:full-${build}`)
    refused.subscribe()
    t.match(await next(refused, 'unsubscribed'), { code: 1000, reason: 'the room is full' })

    answer = () => ({ disconnect: { code: 4501, reason: 'banned' } })
    centrifuge.newSubscription(`room:banned-${build}`).subscribe()
    t.match(await next(centrifuge, 'disconnected'), { code: 4501, reason: 'banned' })
  })

  t.test(`${build}: subscribes once an application that hangs answers again`, async (t) => {
    const { centrifuge } = await connect(t, `patient-${build}`)
    let tries = 0
    answer = () => {
      tries += 1
      return tries < 2 ? hang() : { result: {} }
    }
    const subscription = centrifuge.newSubscription(`room:slow-${build}`, {
      minResubscribeDelay: 10,
      maxResubscribeDelay: 50,
    })
    subscription.subscribe()
    t.match(await next(subscription, 'error'), { error: { code: 100, temporary: true } })
    await next(subscription, 'subscribed')
    t.equal(tries, 2)
  })

  t.test(`${build}: the application decides what is published`, async (t) => {
    const user = `writer-${build}`
    const { centrifuge } = await connect(t, user)
    answer = () => ({ result: {} })
    const channel = `room:talk-${build}`
    const subscription = centrifuge.newSubscription(channel)
    subscription.subscribe()
    await next(subscription, 'subscribed')

    answer = ({ body }) => ({ result: { data: { censored: body['data'] }, skip_history: true } })
    const publication = next<{ data: unknown }>(subscription, 'publication')
    await subscription.publish(toSend('damn'))
    t.same(received((await publication).data), { censored: 'damn' })
    t.match((await requestOf(user, '/publish')).body, { channel, data: 'damn' })
    answer = () => ({ result: {} })
    await subscription.publish(toSend('kept'))
    const history = await node.api('history', server, { channel, limit: 10 })
    t.match(history.body, { result: { publications: [{ data: 'kept' }] } })

    answer = () => ({ error: { code: 1000, message: 'too rude' } })
    await t.rejects(subscription.publish(toSend(1)), { code: 1000, message: 'too rude' })
    answer = hang
    await t.rejects(subscription.publish(toSend(1)), { code: 100, temporary: true })
    answer = () => ({ disconnect: { code: 4501, reason: 'banned' } })
    subscription.publish(toSend(1)).catch(() => undefined)
    t.match(await next(centrifuge, 'disconnected'), { code: 4501, reason: 'banned' })
  })

  t.test(`${build}: the application prolongs a subscription, and ends it`, async (t) => {
    const user = `tenant-${build}`
    const { centrifuge } = await connect(t, user)
    const seconds = (left: number) => Math.ceil(Date.now() / 1000) + left
    let refreshes = 0
    answer = ({ path }) => {
      if (path === '/subscribe') {
        return { result: { expire_at: seconds(1) } }
      }
      refreshes += 1
      return { result: refreshes === 1 ? { expire_at: seconds(1) } : { expired: true } }
    }
    const channel = `room:lease-${build}`
    const subscription = centrifuge.newSubscription(channel)
    subscription.subscribe()
    await next(subscription, 'subscribed')
    // The SDK subscribes again by itself.
    t.match(await next(subscription, 'subscribing'), { code: 2501 })
    t.equal(refreshes, 2)
    t.match((await requestOf(user, '/sub_refresh')).body, { channel, user })
  })

  t.test(`${build}: an answer after a revocation has no effect`, async (t) => {
    for (const path of ['/subscribe', '/publish', '/sub_refresh'] as const) {
      const user = `revoked-${path}-${build}`
      const { token, centrifuge } = await connect(t, user)
      const late = settled()
      const channel = `room:revoked-${path.slice(1)}-${build}`
      answer = async (request) => {
        if (request.path === path) {
          await late.promise
        }
        return { result: { expire_at: Math.ceil(Date.now() / 1000) + 1 } }
      }
      const subscription = centrifuge.newSubscription(channel)
      subscription.subscribe()
      if (path !== '/subscribe') {
        await next(subscription, 'subscribed')
      }
      if (path === '/publish') {
        subscription.publish(toSend('late')).catch(() => undefined)
      }
      await requestOf(user, path)
      const disconnected = next(centrifuge, 'disconnected')
      await auth.revoke({ token })
      t.match(await disconnected, { code: 4500 })
      late.resolve()

      while ((await node.metric('portcullis_realtime_handler_calls')) > 0) {
        await new Promise(setImmediate)
      }
      const { body: presence } = await node.api('presence_stats', server, { channel })
      t.same(presence, { result: { num_clients: 0, num_users: 0 } })
      const { body: history } = await node.api('history', server, { channel, limit: 10 })
      t.match(history, { result: { publications: [] } })
    }
  })
}
