import fc from 'fast-check'
import t from 'tap'
import { JsonText } from '../../src/json/json-text.js'
import {
  decodePublication,
  encodePublication,
  encodePublicationPush,
} from '../../src/messages/publications.js'

const info = { user: 'ada', client: 'c1' }
const tags = { a: 'b' }

t.test('decodes an encoded publication', async (t) => {
  const publication = { data: JsonText.of({ text: 'hi\n' }), info, tags }
  t.same(decodePublication(encodePublication(publication)), publication)
})

t.test('makes a push from the encoded bytes, with the offset if there is one', async (t) => {
  const bytes = encodePublication({ data: JsonText.of({ text: '}' }), info, tags })
  const push = encodePublicationPush('news', bytes).toString()
  const pub = { data: { text: '}' }, info, tags }
  t.same(JSON.parse(push), { push: { channel: 'news', pub } })
  const positioned = encodePublicationPush('news', bytes, 7).toString()
  t.same(JSON.parse(positioned), { push: { channel: 'news', pub: { ...pub, offset: 7 } } })
  const spaced = Buffer.from('{"data":1 } ')
  t.ok(decodePublication(spaced))
  t.match(JSON.parse(encodePublicationPush('a', spaced, 1).toString()).push.pub, { offset: 1 })
})

t.test('rejects forged or broken messages', async (t) => {
  const forged = [
    '',
    'garbage',
    'null',
    '{}',
    '[]',
    '{"data":1,"info":{"user":"x"}}',
    '{"data":1,"offset":7}',
    '{"data":1,"tags":{"a":1}}',
    '{"b64":"%"}',
    '{"b64":1}',
    '{"data":1,"b64":""}',
    '{"data":1}\n{"data":1}',
    '{"data":1}{"data":1}',
    '{\n"data":1}',
  ]
  for (const text of forged) {
    t.equal(decodePublication(Buffer.from(text)), undefined, text)
  }
  const broken = Buffer.concat([
    Buffer.from('{"data":"'),
    Buffer.from([0xc3, 0x28]),
    Buffer.from('"}'),
  ])
  t.equal(decodePublication(broken), undefined, 'invalid UTF-8 would make every subscriber fail')
})

t.test('any data survives encoding and a push, on one line', async () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), fc.nat(), (data, channel, offset) => {
      const bytes = encodePublication({ data: JsonText.of(data) })
      const push = encodePublicationPush(channel, bytes, offset)
      const pushed = JSON.parse(push.toString()).push
      return (
        !push.includes(0x0a) &&
        decodePublication(bytes) !== undefined &&
        pushed.channel === channel &&
        pushed.pub.offset === offset &&
        JSON.stringify(pushed.pub.data) === JSON.stringify(data)
      )
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      decodePublication(Buffer.from(bytes))
    }),
  )
})
