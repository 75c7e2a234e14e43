import { jsonCodec, protobufCodec } from '@portcullis/protocol'
import t, { type Test } from 'tap'
import type { EventSource } from '../../../src/connection/events.js'
import { EventSender, type EventSenderOptions } from '../../../src/handlers/events/event-sender.js'
import { signRequest } from '../../../src/handlers/events/sign-request.js'
import {
  type Application,
  application,
  type HandlerAnswer,
  type HandlerRequest,
} from '../../fixtures/application.js'
import { settled } from '../../fixtures/memory-node.js'

const secret = 'a-secret-of-thirty-two-characters'
const ada: EventSource = {
  id: 'c1',
  subject: 'ada',
  identity: 'shop',
  codec: jsonCodec,
  transport: 'websocket',
}

function sender(t: Test, app: Application, more: Partial<EventSenderOptions> = {}) {
  const told: string[] = []
  const sender = new EventSender({
    endpoint: { name: 'events', url: new URL(`${app.url}/events?a=b`), binary: false },
    secret,
    node: 'node-1',
    timeoutMs: 5000,
    maxWaiting: 1000,
    gatherMs: 0,
    onFailing: (endpoint, error) => told.push(`${endpoint} fails: ${error}`),
    onRecovered: (endpoint) => told.push(`${endpoint} answers`),
    ...more,
  })
  t.teardown(() => sender.close(0))
  return { sender, told }
}

const subscribed = (channel: string | number) =>
  ({ type: 'subscribed', channel: String(channel) }) as const
/** The events in the requests that were received, without their bodies' other fields. */
const eventsOf = (requests: readonly HandlerRequest[]): Record<string, unknown>[] =>
  requests.flatMap(({ body }) => Object(body['events']))
const channelsOf = (requests: readonly HandlerRequest[]) =>
  eventsOf(requests).map(({ channel }) => channel)

t.test('posts events with everything that names the client, and no more', async (t) => {
  const app = await application(t, () => ({}))
  const { sender: events } = sender(t, app)
  const before = Date.now()
  events.record(ada, { type: 'connected' })
  events.record(
    { ...ada, id: 'c2', codec: protobufCodec },
    { type: 'disconnected', code: 4500, reason: 'token revoked' },
  )
  await app.received(1)
  const [request] = app.requests
  t.equal(request?.path, '/events?a=b')
  t.match(request?.headers, {
    'content-type': 'application/json',
    authorization: `Bearer ${secret}`,
  })
  const { 'webhook-id': id, 'webhook-timestamp': at } = request?.headers ?? {}
  const { 'webhook-signature': signature } = signRequest(
    secret,
    String(id),
    request?.text ?? '',
    Number(at) * 1000,
  )
  t.equal(request?.headers['webhook-signature'], signature)
  const common = { user: 'ada', identity: 'shop', transport: 'websocket' }
  const time = eventsOf(app.requests).map((event) => event['time'])
  t.same(request?.body, {
    node: 'node-1',
    run: request?.body['run'],
    lost: 0,
    events: [
      { seq: 1, time: time[0], type: 'connected', client: 'c1', ...common, protocol: 'json' },
      {
        seq: 2,
        time: time[1],
        type: 'disconnected',
        code: 4500,
        reason: 'token revoked',
        client: 'c2',
        ...common,
        protocol: 'protobuf',
      },
    ],
  })
  t.match(request?.body['run'], /^[0-9a-f-]{36}$/)
  t.ok(Number(time[0]) >= before)
  await events.close(5000)
  t.same(events.counts, { sent: 2, lost: 0 })
})

t.test('gathers events while a request is under way, in order', async (t) => {
  const first = settled()
  const app = await application(t, async () => {
    await first.promise
    return {}
  })
  const { sender: events } = sender(t, app)
  events.record(ada, subscribed(0))
  await app.received(1)
  for (let at = 1; at < 600; at += 1) {
    events.record(ada, subscribed(at))
  }
  t.equal(events.waiting, 599)
  first.resolve()
  await events.close(5000)
  t.same(
    channelsOf(app.requests),
    Array.from({ length: 600 }, (_, at) => String(at)),
  )
  t.same(
    app.requests.map(({ body }) => Object(body['events']).length),
    [1, 250, 250, 99],
  )
  t.ok(app.sockets.length === 1, 'over one kept-alive connection')
})

t.test('repeats a request until it is answered with 2xx', async (t) => {
  const failures: HandlerAnswer[] = [
    (response) => response.writeHead(500).end(),
    (response) => response.writeHead(307, { location: '/other' }).end(),
    (response) => response.socket?.destroy(),
  ]
  const app = await application(
    t,
    () => failures.shift() ?? ((response) => response.writeHead(204).end()),
  )
  const { sender: events, told } = sender(t, app)
  events.record(ada, subscribed('a'))
  await app.received(1)
  events.record(ada, subscribed('b'))
  await app.received(5)
  t.same(channelsOf(app.requests), ['a', 'a', 'a', 'a', 'b'])
  t.equal(new Set(app.requests.slice(0, 4).map(({ text }) => text)).size, 1, 'the same request')
  await events.close(5000)
  t.match(told, [/^events fails: .* 500/, /^events answers$/], 'each reported once')
  t.same(events.counts, { sent: 2, lost: 0 })
})

t.test('a backend that hangs does not stop it for good', async (t) => {
  let calls = 0
  const app = await application(t, () => {
    calls += 1
    return calls === 1 ? () => undefined : {}
  })
  const { sender: events, told } = sender(t, app, { timeoutMs: 100 })
  events.record(ada, subscribed('a'))
  await app.received(2)
  t.same(channelsOf(app.requests), ['a', 'a'])
  await events.close(5000)
  t.match(told, [/^events fails: TimeoutError/, /^events answers$/])
})

t.test('drops the oldest events above its bound, and announces how many', async (t) => {
  const first = settled()
  const app = await application(t, async () => {
    await first.promise
    return {}
  })
  const { sender: events } = sender(t, app, { maxWaiting: 3 })
  events.record(ada, subscribed(0))
  await app.received(1)
  for (const channel of [1, 2, 3, 4, 5]) {
    events.record(ada, subscribed(channel))
  }
  t.equal(events.waiting, 3)
  first.resolve()
  await events.close(5000)
  t.match(app.requests[1]?.body, {
    lost: 2,
    events: [
      { seq: 4, channel: '3' },
      { seq: 5, channel: '4' },
      { seq: 6, channel: '5' },
    ],
  })
  t.same(events.counts, { sent: 4, lost: 2 })
})

t.test('sends what waits before it closes, repeating failed requests', async (t) => {
  const failures = 7
  let calls = 0
  const app = await application(t, () => {
    calls += 1
    return calls <= failures ? (response) => response.writeHead(503).end() : {}
  })
  const { sender: events } = sender(t, app, { gatherMs: 60_000 })
  for (let at = 0; at < 300; at += 1) {
    events.record(ada, subscribed(at))
  }
  // The ordinary waits between as many retries are longer.
  await events.close(4000)
  t.equal(eventsOf(app.requests.slice(failures)).length, 300)
  t.equal(events.waiting, 0)
})

t.test('closes at its deadline when the backend hangs', async (t) => {
  const app = await application(t, () => () => undefined)
  const { sender: events } = sender(t, app, { timeoutMs: 60_000 })
  events.record(ada, subscribed('a'))
  await app.received(1)
  await events.close(50)
  t.same(events.counts, { sent: 0, lost: 1 })
})
