import t from 'tap'
import { jsonCodec } from '../../src/codec/json-codec.js'
import { JsonText } from '../../src/json/json-text.js'
import { encodePublication } from '../../src/messages/publications.js'

t.test('puts one message per line into a frame', async (t) => {
  const push = jsonCodec.publicationPush('a', encodePublication({ data: JsonText.of('ü') }))
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
  for (const [text, value] of [
    [' {"a":\n1}', { a: 1 }],
    ['\xff', '/w=='],
    ['', ''],
  ] as const) {
    const data = Buffer.from(text, 'latin1')
    const encoded = encodePublication({ data, tags: { a: 'b' } })
    const push = jsonCodec.publicationPush('a', encoded, 3).toString()
    t.same(JSON.parse(push).push.pub, { data: value, tags: { a: 'b' }, offset: 3 }, text)
    t.notMatch(push, '\n')
    const publications = [{ data, offset: 1 }]
    const reply = String(jsonCodec.reply(1, { history: { offset: 1, epoch: 'e', publications } }))
    t.same(JSON.parse(reply).history.publications, [{ data: value, offset: 1 }])
  }
  const word = encodePublication({ data: JsonText.of({ b64: 'a' }) })
  t.match(jsonCodec.publicationPush('a', word).toString(), '"pub":{"data":{"b64":"a"}}')
})

t.test('decodes commands like decodeCommands', async (t) => {
  t.same(jsonCodec.decode(Buffer.from('{}\n{}')), [{ method: 'pong' }, { method: 'pong' }])
  t.throws(() => jsonCodec.decode(Buffer.from('{}\n{}'), 1), { code: 'too_many_commands' })
})
