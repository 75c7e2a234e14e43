import t from 'tap'
import { digestOf, RequestDigests } from '../../../src/routes/refusals/credentials.js'

t.test('each credentials have their own digest, also on one connection', async (t) => {
  const digests = new RequestDigests()
  const raw = { socket: {}, headers: {} }
  const texts = ['one', 'one', 'two', 'one', undefined]
  const found = texts.map((text) => digests.of(raw, [text, undefined]))
  t.same(
    found,
    texts.map((text) => digestOf([text, undefined])),
  )
  t.equal(digests.of({ socket: {}, headers: {} }, ['two']), digestOf(['two']))
})
