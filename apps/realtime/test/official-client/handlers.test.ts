import { defined } from '@portcullis/contracts/defined'
import t, { type Test } from 'tap'
import { application, type HandlerAnswer, type HandlerRequest } from '../fixtures/application.js'
import { next, type OfficialClient, officialClient } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
let answer: (request: HandlerRequest) => HandlerAnswer = () => ({ result: {} })
const app = await application(t, (request) => answer(request))
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  HANDLERS: JSON.stringify({
    rpc: { '': `${app.url}/rpc`, billing: `${app.url}/billing`, gone: 'http://127.0.0.1:1/' },
    send: `${app.url}/send`,
    connect: `${app.url}/connect`,
  }),
  HANDLER_SECRET: 'a-secret-of-thirty-two-characters',
})

for (const build of ['json', 'protobuf'] as const) {
  const client = (t: Test, subject: string, data?: unknown): OfficialClient => {
    const token = auth.issue({ subject, scope: 'subscribe:a' })
    const centrifuge = officialClient(t, node.wsUrl, () => token, {
      build,
      ...defined({ data }),
    })
    centrifuge.connect()
    return centrifuge
  }
  const toSend = (data: unknown): unknown =>
    build === 'json' ? data : Buffer.from(JSON.stringify(data))
  const received = (data: unknown): unknown =>
    data instanceof Uint8Array ? JSON.parse(Buffer.from(data).toString()) : data
  const requestsOf = (subject: string) =>
    app.requests.filter(({ body }) => body['user'] === subject)

  t.test(`${build}: gets the reply of the application to rpc`, async (t) => {
    const subject = `ada-${build}`
    const centrifuge = client(t, subject)
    answer = ({ path, body }) => ({ result: { data: { path, got: body['data'] } } })
    const result = await centrifuge.rpc('billing:refund', toSend({ order: 7 }))
    t.same(received(result.data), { path: '/billing', got: { order: 7 } })
    const [request] = requestsOf(subject).filter(({ path }) => path === '/billing')
    t.match(request?.body, { protocol: build, method: 'billing:refund', identity: 'shop' })
    t.equal(request?.headers.authorization, 'Bearer a-secret-of-thirty-two-characters')
    t.match(received((await centrifuge.rpc('other', toSend(1))).data), { path: '/rpc', got: 1 })

    answer = () => ({ error: { code: 1000, message: 'no money', temporary: true } })
    await t.rejects(centrifuge.rpc('x', toSend(1)), {
      code: 1000,
      message: 'no money',
      temporary: true,
    })
    await t.rejects(centrifuge.rpc('gone:x', toSend(1)), {
      code: 100,
      message: 'internal server error',
      temporary: true,
    })
  })

  t.test(`${build}: exchanges bytes that are not JSON`, async (t) => {
    const centrifuge = client(t, `bytes-${build}`)
    answer = ({ body }) => ({ result: { b64data: body['b64data'] ?? '/wD+' } })
    const bytes = Buffer.of(0xff, 0, 0xfe)
    const { data } = await centrifuge.rpc('x', build === 'json' ? 'x' : bytes)
    if (build === 'json') {
      t.equal(data, '/wD+')
    } else {
      t.same(Buffer.from(data), bytes)
    }
  })

  t.test(`${build}: delivers send without a reply`, async (t) => {
    const subject = `sender-${build}`
    const centrifuge = client(t, subject)
    answer = () => (response) => response.writeHead(204).end()
    const before = app.requests.length
    await centrifuge.send(toSend({ hello: 1 }))
    await app.received(before + 2)
    t.match(
      requestsOf(subject).map(({ path, body }) => [path, body['data'], body['method']]),
      [
        ['/connect', undefined, undefined],
        ['/send', { hello: 1 }, undefined],
      ],
    )
  })

  t.test(`${build}: the application accepts or refuses a connect`, async (t) => {
    answer = ({ body }) => ({ result: { data: { greeting: body['data'] } } })
    const greeted = client(t, `greeted-${build}`, toSend({ lang: 'en' }))
    const { data } = await next<{ data: unknown }>(greeted, 'connected')
    t.same(received(data), { greeting: { lang: 'en' } })
    t.match(requestsOf(`greeted-${build}`)[0]?.body, { name: 'js' })

    answer = () => ({ result: { channels: ['a', 'beyond:its-token'] } })
    const placed = client(t, `placed-${build}`)
    t.match(await next(placed, 'subscribed'), { channel: 'a' })

    answer = () => ({ error: { code: 1000, message: 'not you' } })
    const refused = client(t, `refused-${build}`)
    t.match(await next(refused, 'disconnected'), { code: 1000, reason: 'not you' })

    answer = () => ({ disconnect: { code: 4501, reason: 'never' } })
    const banned = client(t, `banned-${build}`)
    t.match(await next(banned, 'disconnected'), { code: 4501, reason: 'never' })
  })

  t.test(`${build}: connects once the application is reachable again`, async (t) => {
    let tries = 0
    answer = () => {
      tries += 1
      return tries < 3 ? (response) => response.writeHead(502).end() : { result: {} }
    }
    const centrifuge = client(t, `waiting-${build}`)
    // Sent right after `connect`: waits for the connection and is not lost.
    const subscription = centrifuge.newSubscription('a')
    subscription.subscribe()
    t.match(await next(centrifuge, 'error'), { error: { code: 100, temporary: true } })
    await next(subscription, 'subscribed')
    t.equal(tries, 3)
    t.equal(centrifuge.state, 'connected')
  })
}
