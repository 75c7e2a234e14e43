import t from 'tap'
import { Endpoints, readEndpoints } from '../../src/handlers/endpoints.js'

t.test('finds the handler of a method, then of its namespace, then the default', async (t) => {
  const endpoints = readEndpoints(
    JSON.stringify({
      rpc: {
        '': 'http://a/default',
        billing: 'http://a/billing?key=1',
        'billing:refund': { url: 'https://b/refund', binary: true },
      },
      send: 'http://a/send',
    }),
  )
  if (!(endpoints instanceof Endpoints)) {
    throw new Error(endpoints)
  }
  const found = (method: string) => endpoints.rpc.of(method)?.url.href
  t.equal(found('billing:refund'), 'https://b/refund')
  t.equal(found('billing:refund:all'), 'http://a/billing?key=1')
  t.equal(found('billing:pay'), 'http://a/billing?key=1')
  t.equal(found('billing'), 'http://a/billing?key=1')
  for (const method of ['', 'other', ':billing', 'bill', 'toString', '__proto__']) {
    t.equal(found(method), 'http://a/default', method)
  }
  t.same(
    [endpoints.rpc.of('billing:refund'), endpoints.rpc.of('billing')].map((each) => each?.binary),
    [true, false],
  )
  t.equal(endpoints.send?.url.href, 'http://a/send')
  t.equal(endpoints.connect, undefined)
})

t.test('finds no handler for other methods without a default', async (t) => {
  const endpoints = readEndpoints('{"rpc":{"billing":"http://a/"}}')
  if (!(endpoints instanceof Endpoints)) {
    throw new Error(endpoints)
  }
  t.equal(endpoints.rpc.of('other'), undefined)
  t.equal(endpoints.rpc.of('toString'), undefined)
  t.equal(endpoints.rpc.of(''), undefined)
})

t.test('finds the handlers of a channel as those of a method', async (t) => {
  const kinds = { subscribe: 'subscribe', publish: 'publish', sub_refresh: 'subRefresh' } as const
  for (const [name, kind] of Object.entries(kinds)) {
    const endpoints = readEndpoints(
      JSON.stringify({ [name]: { chat: 'http://a/chat', 'chat:vip': 'http://a/vip' } }),
    )
    if (!(endpoints instanceof Endpoints)) {
      throw new Error(endpoints)
    }
    const found = (channel: string) => endpoints[kind].of(channel)?.url.pathname
    t.same(['chat:vip', 'chat:room1', 'news:a', 'news'].map(found), [
      '/vip',
      '/chat',
      undefined,
      undefined,
    ])
    t.same(
      Object.values(kinds).filter((each) => endpoints[each].of('chat:a') !== undefined),
      [kind],
    )
  }
})

t.test('names the place of an error, and never the value', async (t) => {
  const cases = [
    ['', /not JSON/],
    ['[]', /^must be of type object$/],
    ['{"rpcs":{}}', /^rpcs is not a known name$/],
    ['{"rpc":{"a":7}}', /^rpc\.a has a wrong type$/],
    ['{"send":{"url":"http://a/","binery":true}}', /^send has a wrong type$/],
    ['{"publish":"http://a/"}', /^publish must be of type object$/],
    ['{"subscribe":{"chat":"secret"}}', /^subscribe "chat": must be an http/],
    ['{"send":"secret"}', /^send: must be an http/],
    ['{"rpc":{"a":"ftp://secret/"}}', /^rpc "a": must be an http/],
    [
      '{"connect":"http://user:secret@a/"}',
      /^connect: must not contain credentials; use HANDLER_SECRET/,
    ],
    ['{"connect":"http://a/#secret"}', /^connect: must not have a fragment/],
  ] as const
  for (const [json, problem] of cases) {
    const error = readEndpoints(json)
    t.match(error, problem, json)
    t.notMatch(error, /secret/)
  }
})
