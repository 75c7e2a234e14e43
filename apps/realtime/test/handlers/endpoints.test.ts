import t from 'tap'
import { Endpoints, readEndpoints } from '../../src/handlers/endpoints.js'

t.test('a method finds its own handler, else its namespace’s, else the default', async (t) => {
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
  const found = (method: string) => endpoints.rpc(method)?.url.href
  t.equal(found('billing:refund'), 'https://b/refund')
  t.equal(found('billing:refund:all'), 'http://a/billing?key=1')
  t.equal(found('billing:pay'), 'http://a/billing?key=1')
  t.equal(found('billing'), 'http://a/billing?key=1')
  for (const method of ['', 'other', ':billing', 'bill', 'toString', '__proto__']) {
    t.equal(found(method), 'http://a/default', method)
  }
  t.same(
    [endpoints.rpc('billing:refund'), endpoints.rpc('billing')].map((each) => each?.binary),
    [true, false],
  )
  t.equal(endpoints.send?.url.href, 'http://a/send')
  t.equal(endpoints.connect, undefined)
})

t.test('without a default the others are unknown', async (t) => {
  const endpoints = readEndpoints('{"rpc":{"billing":"http://a/"}}')
  if (!(endpoints instanceof Endpoints)) {
    throw new Error(endpoints)
  }
  t.equal(endpoints.rpc('other'), undefined)
  t.equal(endpoints.rpc('toString'), undefined)
  t.equal(endpoints.rpc(''), undefined)
})

t.test('what is wrong is said, with its place and without its value', async (t) => {
  const cases = [
    ['', /not JSON/],
    ['[]', /object/],
    ['{"rpcs":{}}', /\/rpcs/],
    ['{"rpc":{"a":7}}', /\/rpc\/a/],
    ['{"send":{"url":"http://a/","binery":true}}', /\/send/],
    ['{"send":"secret"}', /^send: is no http/],
    ['{"rpc":{"a":"ftp://secret/"}}', /^rpc "a": is no http/],
    ['{"connect":"http://user:secret@a/"}', /^connect: must carry no credentials; HANDLER_SECRET/],
    ['{"connect":"http://a/#secret"}', /^connect: must have no fragment/],
  ] as const
  for (const [json, problem] of cases) {
    const said = readEndpoints(json)
    t.match(said, problem, json)
    t.notMatch(said, /secret/)
  }
})
