import fc from 'fast-check'
import t from 'tap'
import { encodePublication, isPublication } from '../src/publications.js'

t.test('what is encoded is accepted, in its own channel only', async (t) => {
  const info = { user: 'ada', client: 'c1' }
  const bytes = encodePublication('news', { data: { text: 'hi\n' }, info, tags: { a: 'b' } })
  t.same(JSON.parse(bytes.toString()), {
    push: { channel: 'news', pub: { data: { text: 'hi\n' }, info, tags: { a: 'b' } } },
  })
  t.equal(isPublication('news', bytes), true)
  t.equal(isPublication('other', bytes), false, 'a publication under another channel’s key')
})

t.test('forged or broken messages are not publications', async (t) => {
  const forged = [
    '',
    'garbage',
    'null',
    '{}',
    '{"push":{"channel":"news"}}',
    '{"push":{"channel":"news","pub":{}}}',
    '{"push":{"channel":"news","pub":{"data":1,"info":{"user":"x"}}}}',
    '{"push":{"channel":"news","pub":{"data":1,"offset":7}}}',
    '{"push":{"channel":"news","pub":{"data":1},"disconnect":{"code":3500}}}',
    '{"id":1,"push":{"channel":"news","pub":{"data":1}}}',
    '{"push":{"channel":"news","pub":{"data":1}}}\n{"push":{"channel":"x","pub":{"data":1}}}',
    '{"push":{"channel":"news",\n"pub":{"data":1}}}',
  ]
  for (const text of forged) t.equal(isPublication('news', Buffer.from(text)), false, text)
  const broken = Buffer.concat([
    Buffer.from('{"push":{"channel":"news","pub":{"data":"'),
    Buffer.from([0xc3, 0x28]),
    Buffer.from('"}}}'),
  ])
  t.equal(isPublication('news', broken), false, 'invalid UTF-8 would make every subscriber fail')
})

t.test('any data round-trips, on one line', async () => {
  fc.assert(
    fc.property(fc.jsonValue(), (data) => {
      const bytes = encodePublication('news', { data })
      return !bytes.includes(0x0a) && isPublication('news', bytes)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      isPublication('news', Buffer.from(bytes))
    }),
  )
})
