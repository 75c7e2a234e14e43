import fc from 'fast-check'
import t from 'tap'
import { TokenError } from '../src/errors.js'
import { requestToken } from '../src/request-token.js'
import { type CannedResponse, token, tokenServer } from './fixtures/token-server.js'

const secret = 'registration-code-in-secret'

t.test("sends a service's credentials by HTTP Basic, form-encoded", async (t) => {
  const { url, requests } = await tokenServer(t, token)
  const credentials = { identity: 'shop:eu/1', registrationCode: 'a+b:c%' }
  const given = await requestToken({ url, credentials, scope: 'feed introspect' })
  t.same(given, { token: 'token-1', expiresInSeconds: 3600 })
  const request = requests[0]
  t.equal(request?.method, 'POST')
  t.equal(request?.headers['content-type'], 'application/x-www-form-urlencoded')
  const basic = Buffer.from(request?.headers.authorization?.slice(6) ?? '', 'base64').toString()
  t.equal(basic, 'shop%3Aeu%2F1:a%2Bb%3Ac%25')
  t.equal(request?.body, 'grant_type=client_credentials&scope=feed+introspect')
  await requestToken({ url, credentials, lifetimeSeconds: 60 })
  t.equal(requests[1]?.body, 'grant_type=client_credentials&expires_in=60')
})

t.test("sends an application's request init, always by POST", async (t) => {
  const { url, requests } = await tokenServer(t, token)
  await requestToken({ url, request: { method: 'GET', headers: { 'x-csrf': 'y' } } })
  t.equal(requests[0]?.method, 'POST')
  t.equal(requests[0]?.headers['x-csrf'], 'y')
  t.equal(requests[0]?.headers.authorization, undefined)
})

t.test('maps each refusal to its code', async (t) => {
  const cases: [CannedResponse, string, boolean][] = [
    [{ status: 401, body: { error: 'invalid_client' } }, 'invalid_client', true],
    [{ status: 400, body: { error: 'invalid_scope' } }, 'invalid_scope', true],
    [{ status: 400, body: { error: 'unauthorized_client' } }, 'unauthorized_client', true],
    [{ status: 403, body: { code: 'identity_suspended' } }, 'suspended', true],
    [{ status: 403, body: { error: 'revoked' } }, 'revoked', true],
    [{ status: 401, body: 'log in first' }, 'refused', true],
    [{ status: 404, body: '<html>' }, 'refused', true],
    [{ status: 400, body: { error: 'network' } }, 'refused', true],
    [{ status: 429, body: { error: 'invalid_client' } }, 'rate_limited', false],
    [{ status: 408, body: '' }, 'unavailable', false],
    [{ status: 500, body: { error: 'revoked' } }, 'unavailable', false],
    [{ status: 304, body: '' }, 'bad_answer', false],
    [{ status: 200, body: '<html>sign in to the hotel</html>' }, 'bad_answer', false],
    [{ status: 200, body: 'null' }, 'bad_answer', false],
    [{ status: 200, body: { access_token: 'x' } }, 'bad_answer', false],
    [{ status: 200, body: { access_token: 'x', expires_in: 0 } }, 'bad_answer', false],
    [{ status: 200, body: { access_token: 'x', expires_in: '60' } }, 'bad_answer', false],
    [{ status: 200, body: { access_token: 'x\r\ny: z', expires_in: 60 } }, 'bad_answer', false],
    [{ status: 200, body: { access_token: 'x, y', expires_in: 60 } }, 'bad_answer', false],
  ]
  const { url } = await tokenServer(t, (n) => cases[n - 1]?.[0] ?? { body: '' })
  for (const [response, code, terminal] of cases) {
    const error = await requestToken({ url }).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    t.match(error, { name: 'TokenError', code, terminal }, JSON.stringify(response))
  }
})

t.test('reads Retry-After as seconds or a date, of at most an hour', async (t) => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  t.intercept(Date, 'now', { value: () => now })
  const values = ['3', 'Thu, 01 Jan 2026 00:00:05 GMT', '99999999', 'soon']
  const { url } = await tokenServer(t, (n) => ({
    status: 503,
    headers: { 'retry-after': values[n - 1] ?? '' },
    body: '',
  }))
  for (const expected of [now + 3000, now + 5000, now + 3_600_000, undefined]) {
    const error = await requestToken({ url }).catch((reason: unknown) => reason)
    t.equal(error instanceof TokenError ? error.retryAt : 'no error', expected)
  }
})

t.test(
  'has a code for no server, no response and a redirect, without a secret in the message',
  async (t) => {
    const credentials = { identity: 'shop', registrationCode: secret }
    const silent = await tokenServer(t, () => 'nothing')
    const elsewhere = await tokenServer(t, token)
    const redirect = await tokenServer(t, () => ({
      status: 307,
      headers: { location: elsewhere.url },
      body: '',
    }))
    const cases: [string, string][] = [
      ['http://127.0.0.1:1/token', 'network'],
      [silent.url, 'timeout'],
      [redirect.url, 'network'],
    ]
    for (const [url, code] of cases) {
      const timeoutMs = code === 'timeout' ? 50 : 10_000
      const error = await requestToken({ url, credentials, timeoutMs }).catch((e: unknown) => e)
      t.match(error, { code, terminal: false })
      t.notMatch(`${error}`, secret)
    }
    t.equal(
      elsewhere.requests.length,
      0,
      'does not send the registration code to the target of the redirect',
    )
  },
)

t.test('returns a token or throws a TokenError for any body', async (t) => {
  const property = fc.asyncProperty(
    fc.integer({ min: 200, max: 599 }).filter((status) => ![204, 205, 304].includes(status)),
    fc.oneof(fc.json(), fc.string()),
    async (status, body) => {
      const fetch = async () => new Response(body, { status })
      const outcome = await requestToken({ url: 'http://x', fetch }).catch((e: unknown) => e)
      return outcome instanceof TokenError
    },
  )
  await t.resolves(fc.assert(property))
})
