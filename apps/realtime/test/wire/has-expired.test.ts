import t from 'tap'
import { hasExpired } from '../../src/wire/has-expired.js'
import { unsignedToken } from '../fixtures/unsigned-token.js'

const nowMs = 1_800_000_000_000

t.test('compares `exp` with the time, and allows for clocks a minute apart', async (t) => {
  const outcomes = [-1, 0, 59, 60, 61, 3600].map((seconds) =>
    hasExpired(unsignedToken(nowMs / 1000 + seconds), nowMs),
  )
  t.same(outcomes, [true, true, true, true, false, false])
})

t.test('text that is no JWT has not expired', async (t) => {
  const bodies = ['null', '1', '{}', '{"exp":"1"}', '{"exp":null}', '{', '']
  const texts = bodies.map((body) => `x.${Buffer.from(body).toString('base64url')}.x`)
  for (const text of [...texts, '', 'token', '..', 'a.b.c']) {
    t.equal(hasExpired(text, nowMs), false, text)
  }
})
