import { readFile } from 'node:fs/promises'
import { authClient } from '@portcullis/backend'
import { channelToken, connect, type SignedOut, tokenSource } from '@portcullis/client'
import { dialWithHeader } from '@portcullis/client/node'
import { startInstallation } from '@portcullis/local'
import type { Subscription } from 'centrifuge'
import fastify from 'fastify'
import t from 'tap'
import { WebSocket } from 'ws'
import { addTokenRoutes } from './routes.js'

const scopes = ['tokens:issue', 'tokens:revoke', 'subscribe:*']

const ended = (subscription: Subscription) =>
  new Promise<{ code: number }>((resolve) => subscription.once('unsubscribed', resolve))
const begun = (subscription: Subscription) =>
  new Promise<void>((resolve) => subscription.once('subscribed', () => resolve()))

t.test('the routes of docs/backend.md sign a user in, and out with a receipt', async (t) => {
  const { auth, realtime, identityClient } = await startInstallation(t, { realtime: 2 })
  const [node] = realtime
  const credentials = await identityClient('shop', scopes)
  const shop = authClient({ authUrl: auth.url, credentials })
  const app = fastify()
  t.teardown(() => app.close())
  let signedIn = true
  let afterIssue = () => {}
  addTokenRoutes(app, {
    auth: {
      ...shop,
      issueToken: async (order) => {
        const token = await shop.issueToken(order)
        afterIssue()
        return token
      },
    },
    userOf: async () => (signedIn ? 'ada' : undefined),
    endSessions: async () => {
      signedIn = false
    },
    mayRead: (user, channel) => channel === `inbox:${user}`,
  })
  const backend = await app.listen({ port: 0, host: '127.0.0.1' })

  const told: SignedOut[] = []
  const centrifuge = connect(node.wsUrl, {
    tokens: tokenSource({ url: `${backend}/token` }),
    dial: dialWithHeader(WebSocket),
    onSignedOut: (signedOut) => told.push(signedOut),
  })
  t.teardown(() => centrifuge.disconnect())
  const getToken = channelToken({ url: `${backend}/channel-token` })
  const inbox = centrifuge.newSubscription('inbox:ada', { getToken })
  const other = centrifuge.newSubscription('inbox:bob', { getToken })
  const [isIn, isRefused] = [begun(inbox), ended(other)]
  inbox.subscribe()
  other.subscribe()
  await isIn
  t.match(await isRefused, { code: 1 }, "another user's channel is refused")

  const closed = new Promise((resolve) => centrifuge.once('disconnected', resolve))
  const signOut = await fetch(`${backend}/sign-out`, { method: 'POST' })
  t.same(await signOut.json(), { closed: true })
  t.match(await closed, { code: 4500 })
  t.match(told, [{ reason: 'revoked' }])

  const again = new Promise((resolve) => centrifuge.once('disconnected', resolve))
  centrifuge.connect()
  t.match(await again, { code: 1 }, 'a signed-out user gets no token')
  t.match(told, [{ reason: 'revoked' }, { reason: 'refused', error: { status: 401 } }])
  t.equal(told.length, 2)

  signedIn = true
  afterIssue = () => {
    signedIn = false
  }
  const late = await fetch(`${backend}/token`, { method: 'POST' })
  t.equal(late.status, 401, 'a user who signs out while a token is issued does not get it')
})

t.test('a backend revokes by label and by token, and learns why auth refuses', async (t) => {
  const { auth, identityClient } = await startInstallation(t, { realtime: 1 })
  const credentials = await identityClient('shop', scopes)
  const shop = authClient({ authUrl: auth.url, credentials })
  await shop.issueToken({ subject: 'ada', labels: ['device:phone'] })
  await shop.issueToken({ subject: 'ada' })
  t.match(await shop.revoke({ label: 'device:phone' }), { complete: true, tokens: 1 })
  const { access_token: token } = await shop.issueToken({ subject: 'bob' })
  t.match(await shop.revoke({ token, reason: 'lost' }), { complete: true, tokens: 1 })

  const { identity } = credentials
  const wrong = authClient({
    authUrl: auth.url,
    credentials: { identity, registrationCode: 'wrong' },
  })
  await t.rejects(wrong.issueToken({ subject: 'ada' }), { code: 'invalid_client' })
  const reader = authClient({
    authUrl: auth.url,
    credentials: await identityClient('reader', ['subscribe:*']),
  })
  await t.rejects(reader.issueToken({ subject: 'ada' }), {
    code: 'refused',
    message: /tokens:issue/,
  })
})

t.test('docs/backend.md shows the code that is tested', async (t) => {
  const read = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8')
  const page = await read('docs/backend.md')
  t.ok(page.includes(await read('test/stories/backend/routes.ts')))
})
