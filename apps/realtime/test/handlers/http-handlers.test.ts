import { once } from 'node:events'
import { createServer } from 'node:net'
import { JsonText } from '@portcullis/protocol'
import t, { type Test } from 'tap'
import type { HandlerCall } from '../../src/connection/handlers.js'
import { Endpoints, readEndpoints } from '../../src/handlers/endpoints.js'
import { HttpHandlers, type HttpHandlersOptions } from '../../src/handlers/http-handlers.js'
import { application, type HandlerAnswer } from '../fixtures/application.js'
import { settled } from '../fixtures/memory-node.js'

const secret = 'a-secret-of-thirty-two-characters'
const internal = { error: { code: 100, temporary: true } }

function handlers(t: Test, configured: object, more: Partial<HttpHandlersOptions> = {}) {
  const endpoints = readEndpoints(JSON.stringify(configured))
  if (!(endpoints instanceof Endpoints)) {
    throw new Error(endpoints)
  }
  const told: string[] = []
  const http = new HttpHandlers({
    endpoints,
    secret,
    timeoutMs: 5000,
    maxCalls: 10,
    maxAnswerBytes: 2000,
    onFailing: (endpoint, error) => told.push(`${endpoint} fails: ${error}`),
    onRecovered: (endpoint) => told.push(`${endpoint} answers`),
    ...more,
  })
  t.teardown(() => http.close())
  const rpc = (call: Partial<HandlerCall> = {}) => {
    const all: HandlerCall = {
      client: 'c1',
      transport: 'websocket',
      user: 'ada',
      identity: 'shop',
      scope: 'subscribe:a',
      protocol: 'json',
      method: 'm',
      wanted: () => true,
      ...call,
    }
    return http.rpc(all.method ?? '')?.(all)
  }
  return { http, rpc, told }
}

t.test('calls handlers in the format of this protocol', async (t) => {
  const app = await application(t, () => ({ result: { data: 1 } }))
  const { rpc, http } = handlers(t, {
    rpc: { '': `${app.url}/rpc?a=b`, bytes: { url: `${app.url}/bytes`, binary: true } },
  })
  t.same(await rpc({ data: JsonText.of({ x: 1 }) }), { result: { data: JsonText.of(1) } })
  const [first] = app.requests
  t.equal(first?.path, '/rpc?a=b')
  t.match(first?.headers, {
    'content-type': 'application/json',
    accept: 'application/json',
    authorization: `Bearer ${secret}`,
    'content-length': /^\d+$/,
  })
  const about = { client: 'c1', transport: 'websocket', user: 'ada', identity: 'shop' }
  const asked = { ...about, scope: 'subscribe:a', protocol: 'json', method: 'm' }
  t.same(first?.body, { ...asked, encoding: 'json', data: { x: 1 } })

  const binary = { protocol: 'protobuf' as const }
  const calls: [Partial<HandlerCall>, object][] = [
    [{}, { encoding: 'json' }],
    [{ data: JsonText.of(null) }, { encoding: 'json', data: null }],
    [
      { ...binary, data: Buffer.from('{ "a": 1.0 }') },
      { encoding: 'json', data: { a: 1 } },
    ],
    [
      { ...binary, data: Buffer.of(0xff) },
      { encoding: 'binary', b64data: '/w==' },
    ],
    [
      { method: 'bytes:x', data: JsonText.of({ a: 1 }) },
      { encoding: 'binary', b64data: 'eyJhIjoxfQ==' },
    ],
    [
      { ...binary, method: 'bytes:x', data: Buffer.from(' 1') },
      { encoding: 'binary', b64data: 'IDE=' },
    ],
    [{ method: 'bytes:x' }, { encoding: 'binary' }],
  ]
  for (const [call, expected] of calls) {
    await rpc(call)
    const { protocol = 'json', method = 'm' } = call
    t.same(app.requests.at(-1)?.body, { ...asked, protocol, method, ...expected })
  }
  t.ok(app.sockets.length <= 2, 'over kept-alive connections')
  t.same(http.counts, { answered: 8, failed: 0, refused: 0 })
})

t.test('sends no authorization without a secret', async (t) => {
  const app = await application(t, () => ({ result: {} }))
  const { rpc } = handlers(t, { rpc: { '': app.url } }, { secret: undefined })
  t.same(await rpc(), { result: {} })
  t.equal(app.requests[0]?.headers.authorization, undefined)
})

t.test('returns an internal error for a malformed answer', async (t) => {
  const other = await application(t, () => ({ result: {} }))
  const wrong: [string, HandlerAnswer][] = [
    ['status', (response) => response.writeHead(500).end('{"result":{"data":"a stack trace"}}')],
    ['redirect', (response) => response.writeHead(307, { location: other.url }).end()],
    ['no JSON', (response) => response.end('<html>')],
    ['no answer', {}],
    ['too large', { result: { data: 'x'.repeat(2000) } }],
    ['cut off', (response) => response.socket?.destroy()],
    [
      'cut in the middle',
      (response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"result":')
        setImmediate(() => response.socket?.destroy())
      },
    ],
  ]
  let answers: HandlerAnswer = {}
  const app = await application(t, () => answers)
  const { rpc, told, http } = handlers(t, { rpc: { '': `${app.url}/?key=in-the-url` } })
  for (const [what, answer] of wrong) {
    answers = answer
    t.match(await rpc(), internal, what)
  }
  t.equal(other.requests.length, 0, 'does not follow a redirect')
  t.equal(http.counts.failed, wrong.length)
  answers = { result: {} }
  await rpc()
  await rpc()
  answers = {}
  await rpc()
  t.match(
    told,
    [/^rpc "" fails: .* 500/, /^rpc "" answers$/, /^rpc "" fails: /],
    'each reported once',
  )
  t.notMatch(told.join(), /stack trace|in-the-url|secret-of/)
})

t.test('returns an internal error when a handler is unreachable', async (t) => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  server.close()
  await once(server, 'close')
  const { rpc } = handlers(t, { rpc: { '': `http://127.0.0.1:${port}` } })
  t.match(await rpc(), internal)
})

t.test('ends a call to a handler that stalls or trickles', async (t) => {
  const app = await application(t, ({ body: { method } }) => (response) => {
    if (method === 'trickle') {
      const more = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(more))
    }
  })
  const { rpc } = handlers(t, { rpc: { '': app.url } }, { timeoutMs: 200 })
  t.match(await rpc({ method: 'stall' }), internal)
  t.match(await rpc({ method: 'trickle' }), internal)
})

t.test('bounds the calls in flight', async (t) => {
  const answer = settled()
  const app = await application(t, async () => {
    await answer.promise
    return { result: {} }
  })
  const { rpc, http } = handlers(t, { rpc: { '': app.url } }, { maxCalls: 2 })
  const calls = [rpc(), rpc()]
  t.match(await rpc(), { error: { code: 111, temporary: true } })
  t.equal(http.callsInFlight, 2)
  answer.resolve()
  t.same(await Promise.all(calls), [{ result: {} }, { result: {} }])
  t.same(await rpc(), { result: {} })
  t.same(http.counts, { answered: 3, failed: 0, refused: 1 })
})

t.test('does not send a call that is no longer wanted when a connection is free', async (t) => {
  const app = await application(t, () => ({ result: {} }))
  const { rpc, told, http } = handlers(t, { rpc: { '': app.url } })
  let wanted = true
  const call = rpc({ wanted: () => wanted })
  wanted = false
  t.match(await call, internal)
  await rpc()
  t.equal(app.requests.length, 1, 'only the second call was sent')
  t.same(told, [], 'a withdrawn call is not a failure')
  t.equal(http.counts.failed, 0)
})
