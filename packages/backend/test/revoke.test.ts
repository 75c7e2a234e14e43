import t, { type Test } from 'tap'
import { authClient } from '../src/auth-client.js'
import type { BackendError } from '../src/errors.js'
import {
  authServer,
  type CannedResponse,
  type Respond,
  receipt,
  receiptId,
  tokenResponse,
} from './fixtures/auth-server.js'

const credentials = { identity: 'shop', registrationCode: 'secret' }
const post = 'POST /v1/revocations'
const get = `GET /v1/revocations/${receiptId}`

async function start(t: Test, routes: Record<string, Respond>) {
  const auth = await authServer(t, {
    'POST /oauth/token': (n) => tokenResponse('own', n),
    ...routes,
  })
  return { auth, client: authClient({ authUrl: auth.authUrl, credentials }) }
}

t.test(
  'selects by user or label of the own identity, by token, or by another identity',
  async (t) => {
    const { auth, client } = await start(t, { [post]: () => receipt(true) })
    await client.revoke({ subject: 'ada', reason: 'signed out' })
    await client.revoke({ label: 'device:phone', issuedBefore: 1_700_000_000_000 })
    await client.revoke({ token: 'a-token', cascade: true })
    await client.revoke({ subject: 'ada', identity: 'blog', receiptTimeoutMs: 100 })
    t.same(
      auth.to(post).map(({ body }) => JSON.parse(body)),
      [
        { subject: 'ada', reason: 'signed out', identity: 'shop', wait: 5000 },
        { label: 'device:phone', issuedBefore: 1_700_000_000_000, identity: 'shop', wait: 5000 },
        { token: 'a-token', cascade: true, wait: 5000 },
        { subject: 'ada', identity: 'blog', wait: 100 },
      ],
    )
  },
)

t.test('returns when the receipt is complete, and not before', async (t) => {
  const { auth, client } = await start(t, {
    [post]: () => receipt(false),
    [get]: (n) => receipt(n > 1),
  })
  t.match(await client.revoke({ subject: 'ada' }), { id: receiptId, complete: true })
  t.equal(auth.to(post).length, 1, 'revokes once')
  t.equal(auth.to(get).length, 2)
})

t.test('waits on while auth is away', async (t) => {
  const away: (CannedResponse | 'cut')[] = [
    { status: 503, body: '' },
    'cut',
    { status: 429, body: '' },
  ]
  const { auth, client } = await start(t, {
    [post]: () => receipt(false),
    [get]: (n) => away[n - 1] ?? receipt(true),
  })
  t.match(await client.revoke({ subject: 'ada' }), { complete: true })
  t.equal(auth.to(get).length, 4)
})

t.test('throws when the receipt is not complete in time, and names the nodes', async (t) => {
  const { client } = await start(t, {
    [post]: () => receipt(false),
    [get]: () => receipt(true),
  })
  const revoked = client.revoke({ subject: 'ada', receiptTimeoutMs: 0 })
  const error: BackendError = await revoked.then(
    () => Promise.reject(new Error('expected an error')),
    (error) => error,
  )
  t.match(error, { code: 'incomplete', message: /by node-2$/, receipt: { id: receiptId } })
  t.match(await client.awaitReceipt(receiptId), { complete: true }, 'and waits on when asked')
})

t.test('throws for a response that is not a receipt', async (t) => {
  const { client } = await start(t, { [post]: () => ({ body: { complete: true } }) })
  await t.rejects(client.revoke({ subject: 'ada' }), { code: 'bad_answer' })
})
