import t from 'tap'
import { fixedToken, tokenSource } from '../src/token-source.js'
import { token, tokenServer } from './fixtures/token-server.js'

t.test('calls that come together share one request, and later ones the same token', async (t) => {
  const { url, asked } = await tokenServer(t, token)
  const tokens = tokenSource({ url })
  const first = await Promise.all([tokens.get(), tokens.get(), tokens.get()])
  t.same(first, ['token-1', 'token-1', 'token-1'])
  t.equal(await tokens.get(), 'token-1')
  t.equal(asked.length, 1, 'auth was asked once')
})

t.test(
  'a token is renewed before it ends, and one that ended in sleep is never used',
  async (t) => {
    let now = 1_700_000_000_000
    t.intercept(Date, 'now', { value: () => now })
    const { url } = await tokenServer(t, (n) => token(n, 600))
    const tokens = tokenSource({ url })
    t.equal(await tokens.get(), 'token-1')
    now += 569_000
    t.equal(await tokens.get(), 'token-1', '31 s before its end it is still good')
    now += 2_000
    t.equal(await tokens.get(), 'token-2', '29 s before its end it is replaced')
    now += 8 * 3_600_000
    t.equal(await tokens.get(), 'token-3', 'the laptop slept for eight hours')
  },
)

t.test('a short-lived token is used for four fifths of its life', async (t) => {
  let now = 1_700_000_000_000
  t.intercept(Date, 'now', { value: () => now })
  const { url } = await tokenServer(t, (n) => token(n, 10))
  const tokens = tokenSource({ url })
  await tokens.get()
  now += 7_900
  t.equal(await tokens.get(), 'token-1')
  now += 200
  t.equal(await tokens.get(), 'token-2')
})

t.test('the life of a token counts from before it was asked for', async (t) => {
  let now = 1_700_000_000_000
  t.intercept(Date, 'now', { value: () => now })
  const { url } = await tokenServer(t, (n) => {
    now += 9_000
    return token(n, 10)
  })
  const tokens = tokenSource({ url })
  t.equal(await tokens.get(), 'token-1')
  t.equal(await tokens.get(), 'token-2', 'nine of its ten seconds passed on the way')
})

t.test('while renewal fails for now, a token with life left is used', async (t) => {
  let now = 1_700_000_000_000
  t.intercept(Date, 'now', { value: () => now })
  const { url } = await tokenServer(t, (n) =>
    n === 1 ? token(n, 600) : { status: 503, body: { error: 'temporarily_unavailable' } },
  )
  const tokens = tokenSource({ url })
  await tokens.get()
  now += 580_000
  t.equal(await tokens.get(), 'token-1')
  now += 21_000
  await t.rejects(tokens.get(), { code: 'unavailable', terminal: false }, 'not after its end')
})

t.test('a refused token is replaced once for all who hold it, never given back', async (t) => {
  const { url, asked } = await tokenServer(t, token)
  const tokens = tokenSource({ url })
  await tokens.get()
  t.equal(await tokens.get({ otherThan: 'token-1' }), 'token-2')
  t.equal(await tokens.get({ otherThan: 'token-1' }), 'token-2')
  t.equal(asked.length, 2)
})

t.test('a backend that gives the refused token again is a temporary error', async (t) => {
  const { url } = await tokenServer(t, () => token(1))
  const tokens = tokenSource({ url })
  await tokens.get()
  await t.rejects(tokens.get({ otherThan: 'token-1' }), { code: 'bad_answer', terminal: false })
  t.equal(await tokens.get(), 'token-1', 'others may still use it')
})

t.test('a terminal answer ends the source: it does not ask again', async (t) => {
  const { url, asked } = await tokenServer(t, () => ({
    status: 401,
    body: { error: 'invalid_client' },
  }))
  const tokens = tokenSource({ url, credentials: { identity: 'a', registrationCode: 'b' } })
  await t.rejects(tokens.get(), { code: 'invalid_client', terminal: true, status: 401 })
  await t.rejects(tokens.get(), { code: 'invalid_client' })
  t.equal(asked.length, 1)
  t.equal(tokens.ended?.code, 'invalid_client')
})

t.test('a temporary answer does not end it', async (t) => {
  const { url } = await tokenServer(t, (n) => (n === 1 ? { status: 502, body: 'bad' } : token(n)))
  const tokens = tokenSource({ url })
  await t.rejects(tokens.get(), { code: 'unavailable' })
  t.equal(tokens.ended, undefined)
  t.equal(await tokens.get(), 'token-2')
})

t.test('Retry-After keeps the source away until then', async (t) => {
  let now = 1_700_000_000_000
  t.intercept(Date, 'now', { value: () => now })
  const { url, asked } = await tokenServer(t, (n) =>
    n === 1 ? { status: 429, headers: { 'retry-after': '7' }, body: '' } : token(n),
  )
  const tokens = tokenSource({ url })
  await t.rejects(tokens.get(), { code: 'rate_limited', retryAt: now + 7_000 })
  now += 6_999
  await t.rejects(tokens.get(), { code: 'rate_limited' })
  t.equal(asked.length, 1, 'not asked before the seven seconds are over')
  now += 1
  t.equal(await tokens.get(), 'token-2')
})

t.test('a fixed token is all there is', async (t) => {
  const tokens = fixedToken('the-token')
  t.equal(await tokens.get(), 'the-token')
  t.equal(await tokens.get({ otherThan: 'another' }), 'the-token')
  await t.rejects(tokens.get({ otherThan: 'the-token' }), { code: 'refused', terminal: true })
  t.equal(tokens.ended?.code, 'refused')
})
