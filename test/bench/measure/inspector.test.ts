import t from 'tap'
import { inspectorUrl, memoryOf, sampledBytes } from './inspector.js'

t.test('finds the address among other output', async (t) => {
  const url = 'ws://127.0.0.1:40123/6f1c2c9e-0000-4000-8000-1234567890ab'
  t.equal(inspectorUrl(`a warning\nDebugger listening on ${url}\nFor help, see: …`), url)
  t.throws(() => inspectorUrl('no such line'), { message: /did not open its inspector/ })
})

t.test('heap counts live objects and their buffers', async (t) => {
  const value = JSON.stringify({ rss: 10, heapTotal: 9, heapUsed: 5, external: 2, arrayBuffers: 1 })
  t.same(memoryOf(JSON.stringify({ id: 3, result: { result: { type: 'string', value } } })), {
    rss: 10,
    heap: 7,
  })
})

t.test('throws for an answer without figures', async (t) => {
  t.throws(() => memoryOf('{"id":3,"error":{"code":-32000}}'), { message: /did not report/ })
})

t.test('sums the samples of allocations', async (t) => {
  const answer = { id: 2, result: { profile: { samples: [{ size: 10 }, { size: 32 }] } } }
  t.equal(sampledBytes(JSON.stringify(answer)), 42)
  t.throws(() => sampledBytes('{"id":2,"error":{}}'), { message: /did not report/ })
})
