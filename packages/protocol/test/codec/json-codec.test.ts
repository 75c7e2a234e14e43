import t from 'tap'
import { jsonCodec } from '../../src/codec/json-codec.js'
import { encodePublication } from '../../src/messages/publications.js'

t.test('puts one message per line into a frame', async (t) => {
  const push = jsonCodec.publicationPush('a', encodePublication({ data: 'ü' }))
  const frame = jsonCodec.frame([jsonCodec.ping, push, jsonCodec.reply(1, { publish: {} })])
  t.equal(frame[0], 0x81)
  t.same(
    frame
      .subarray(2)
      .toString()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [{}, { push: { channel: 'a', pub: { data: 'ü' } } }, { id: 1, publish: {} }],
  )
  t.same(jsonCodec.frame([push]).subarray(2), push)
})

t.test('pushes a publication stored as b64 with data', async (t) => {
  const b64 = (bytes: string) => ({ b64: Buffer.from(bytes, 'latin1').toString('base64') })
  for (const [bytes, data] of [
    [' {"a":\n1}', { a: 1 }],
    ['\xff', '/w=='],
    ['', ''],
  ] as const) {
    const encoded = encodePublication({ ...b64(bytes), tags: { a: 'b' } })
    const push = jsonCodec.publicationPush('a', encoded, 3).toString()
    t.same(JSON.parse(push).push.pub, { data, tags: { a: 'b' }, offset: 3 }, JSON.stringify(bytes))
    t.notMatch(push, '\n')
    const publications = [{ ...b64(bytes), offset: 1 }]
    const reply = String(jsonCodec.reply(1, { history: { offset: 1, epoch: 'e', publications } }))
    t.same(JSON.parse(reply).history.publications, [{ data, offset: 1 }])
  }
  const word = encodePublication({ data: { b64: 'a' } })
  t.match(jsonCodec.publicationPush('a', word).toString(), '"pub":{"data":{"b64":"a"}}')
})

t.test('decodes commands like decodeCommands', async (t) => {
  t.same(jsonCodec.decode(Buffer.from('{}\n{}')), [{ method: 'pong' }, { method: 'pong' }])
  t.throws(() => jsonCodec.decode(Buffer.from('{}\n{}'), 1), { code: 'too_many_commands' })
})
