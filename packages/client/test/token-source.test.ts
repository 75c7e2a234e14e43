import t from 'tap'
import { fixedToken, tokenSource } from '../src/token-source.js'
import { token, tokenServer } from './fixtures/token-server.js'

t.test('shares one request among concurrent calls, and its token with later calls', async (t) => {
  const { url, requests } = await tokenServer(t, token)
  const tokens = tokenSource({ url })
  const first = await Promise.all([tokens.get(), tokens.get(), tokens.get()])
  t.same(first, ['token-1', 'token-1', 'token-1'])
  t.equal(await tokens.get(), 'token-1')
  t.equal(requests.length, 1, 'sends one request')
})

t.test(
  'renews a token before it expires, and never uses one that expired during sleep',
  async (t) => {
    let now = 1_700_000_000_000
    t.intercept(Date, 'now', { value: () => now })
    const { url } = await tokenServer(t, (n) => token(n, 600))
    const tokens = tokenSource({ url })
    t.equal(await tokens.get(), 'token-1')
    now += 569_000
    t.equal(await tokens.get(), 'token-1', 'keeps the token 31 s before its expiry')
    now += 2_000
    t.equal(await tokens.get(), 'token-2', 'replaces the token 29 s before its expiry')
    now += 8 * 3_600_000
    t.equal(await tokens.get(), 'token-3', 'replaces the token after eight hours of sleep')
  },
)

t.test('uses a short-lived token for four fifths of its lifetime', async (t) => {
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

t.test('counts the lifetime from before the request', async (t) => {
  let now = 1_700_000_000_000
  t.intercept(Date, 'now', { value: () => now })
  const { url } = await tokenServer(t, (n) => {
    now += 9_000
    return token(n, 10)
  })
  const tokens = tokenSource({ url })
  t.equal(await tokens.get(), 'token-1')
  t.equal(await tokens.get(), 'token-2', 'the response took nine of the ten seconds')
})

t.test('uses a valid token while renewal fails temporarily', async (t) => {
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
  await t.rejects(
    tokens.get(),
    { code: 'unavailable', terminal: false },
    'throws after the token has expired',
  )
})

t.test('replaces a refused token once for all callers', async (t) => {
  const { url, requests } = await tokenServer(t, token)
  const tokens = tokenSource({ url })
  await tokens.get()
  t.equal(await tokens.get({ otherThan: 'token-1' }), 'token-2')
  t.equal(await tokens.get({ otherThan: 'token-1' }), 'token-2')
  t.equal(requests.length, 2)
})

t.test('throws a temporary error when the backend returns the refused token again', async (t) => {
  const { url } = await tokenServer(t, () => token(1))
  const tokens = tokenSource({ url })
  await tokens.get()
  await t.rejects(tokens.get({ otherThan: 'token-1' }), { code: 'bad_answer', terminal: false })
  t.equal(await tokens.get(), 'token-1', 'still returns the token to other callers')
})

t.test('sends no request after a terminal error', async (t) => {
  const { url, requests } = await tokenServer(t, () => ({
    status: 401,
    body: { error: 'invalid_client' },
  }))
  const tokens = tokenSource({ url, credentials: { identity: 'a', registrationCode: 'b' } })
  await t.rejects(tokens.get(), { code: 'invalid_client', terminal: true, status: 401 })
  await t.rejects(tokens.get(), { code: 'invalid_client' })
  t.equal(requests.length, 1)
  t.equal(tokens.ended?.code, 'invalid_client')
})

t.test('sends a new request after a temporary error', async (t) => {
  const { url } = await tokenServer(t, (n) => (n === 1 ? { status: 502, body: 'bad' } : token(n)))
  const tokens = tokenSource({ url })
  await t.rejects(tokens.get(), { code: 'unavailable' })
  t.equal(tokens.ended, undefined)
  t.equal(await tokens.get(), 'token-2')
})

t.test('sends no request before Retry-After', async (t) => {
  let now = 1_700_000_000_000
  t.intercept(Date, 'now', { value: () => now })
  const { url, requests } = await tokenServer(t, (n) =>
    n === 1 ? { status: 429, headers: { 'retry-after': '7' }, body: '' } : token(n),
  )
  const tokens = tokenSource({ url })
  await t.rejects(tokens.get(), { code: 'rate_limited', retryAt: now + 7_000 })
  now += 6_999
  await t.rejects(tokens.get(), { code: 'rate_limited' })
  t.equal(requests.length, 1, 'sends no request in the seven seconds')
  now += 1
  t.equal(await tokens.get(), 'token-2')
})

t.test('returns a fixed token until it is refused', async (t) => {
  const tokens = fixedToken('the-token')
  t.equal(await tokens.get(), 'the-token')
  t.equal(await tokens.get({ otherThan: 'another' }), 'the-token')
  await t.rejects(tokens.get({ otherThan: 'the-token' }), { code: 'refused', terminal: true })
  t.equal(tokens.ended?.code, 'refused')
})
