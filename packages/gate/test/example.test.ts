// Runs the example app against a real auth process.
import type { AddressInfo } from 'node:net'
import type { Receipt } from '@portcullis/contracts/revocations'
import type { TokenResponse } from '@portcullis/contracts/tokens'
import { type Installation, startInstallation } from '@portcullis/local'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { build } from '../example/app.js'
import { dial, refused } from './fixtures/dial.js'
import { Log } from './fixtures/guarded-app.js'

interface Story {
  installation: Installation<0>
  app: FastifyInstance
  log: Log
  http: string
  ws: string
  /** Issues a token of the identity `shop`. */
  token(body?: object): Promise<TokenResponse>
}

async function story(t: Test): Promise<Story> {
  const installation = await startInstallation(t, { realtime: 0 })
  const credentials = await installation.identityClient('example', ['introspect', 'feed'])
  const shop = await installation.identityClient('shop', ['tokens:issue', 'subscribe:*'])
  const log = new Log()
  const app = await build({
    authUrl: installation.auth.url,
    credentials: {
      identity: credentials.identity,
      registrationCode: credentials.registrationCode,
    },
    logger: { level: 'info', stream: log },
  })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return {
    installation,
    app,
    log,
    http: `http://127.0.0.1:${port}`,
    ws: `ws://127.0.0.1:${port}`,
    async token(body = {}) {
      const { status, body: answer } = await shop.api('POST', '/v1/tokens', {
        subject: 'ada',
        ...body,
      })
      t.equal(status, 201, 'a token is issued')
      return answer
    },
  }
}

t.test(
  'a revocation closes the socket, completes its receipt, and refuses the token',
  async (t) => {
    const { installation, app, http, ws, token } = await story(t)
    t.equal((await fetch(`${http}/ready`)).status, 200)
    const { access_token, jti } = await token()
    const other = await token({ subject: 'bob' })
    const peer = await dial(`${ws}/echo`, { token: access_token })
    const stays = await dial(`${ws}/echo`, {
      protocols: ['portcullis', `bearer.${other.access_token}`],
    })
    t.equal(await peer.ask('hello'), 'ada: hello')
    const whoami = await fetch(`${http}/whoami`, {
      headers: { authorization: `Bearer ${access_token}` },
    })
    t.match(await whoami.json(), { jti, identity: 'shop', subject: 'ada' })

    const { status, body } = await installation.api('POST', '/v1/revocations', {
      token: access_token,
      wait: 5000,
    })
    t.equal(status, 201)
    t.match(body, { complete: true, tokens: 1 } satisfies Partial<Receipt>)
    t.match(body.nodes, [{ state: 'acked', connectionsClosed: 1 }])
    t.strictSame(await peer.closed, { code: 4500, reason: 'token revoked' })
    t.equal((await refused(`${ws}/echo`, { token: access_token })).status, 401, 'on the upgrade')
    const again = await fetch(`${http}/whoami`, {
      headers: { authorization: `Bearer ${access_token}` },
    })
    t.equal(again.status, 401, 'on a request')
    t.equal(await stays.ask('x'), 'bob: x')
    t.equal(app.gate.stats.live, 1)

    // Every selector, each with its own socket.
    for (const [name, selector, body] of [
      ['identity and subject', { identity: 'shop', subject: 'ada' }, {}],
      ['label', { identity: 'shop', label: 'red' }, { subject: 'eve', labels: ['red'] }],
      ['identity', { identity: 'shop' }, { subject: 'eve' }],
    ] as const) {
      const { access_token } = await token(body)
      const socket = await dial(`${ws}/echo`, { token: access_token })
      const revoked = await installation.api('POST', '/v1/revocations', { ...selector, wait: 5000 })
      t.equal(revoked.body.complete, true, name)
      t.equal((await socket.closed).code, 4500, name)
      t.equal((await refused(`${ws}/echo`, { token: access_token })).status, 401, name)
    }
    t.equal((await stays.closed).code, 4500, 'the revocation of the identity covers it too')
  },
)

t.test('closes the sockets of a suspended identity and of an expired token', async (t) => {
  const { installation, ws, token } = await story(t)
  const short = await token({ ttlSeconds: 2 })
  const long = await token()
  const expires = await dial(`${ws}/echo`, { token: short.access_token })
  const suspended = await dial(`${ws}/echo`, { token: long.access_token })
  t.strictSame(await expires.closed, { code: 3005, reason: 'connection expired' })
  t.equal((await refused(`${ws}/echo`, { token: short.access_token })).status, 401)

  await installation.api('POST', '/v1/identities/shop/suspend', {})
  t.equal((await suspended.closed).code, 4500)
  t.equal((await refused(`${ws}/echo`, { token: long.access_token })).status, 401)
})

t.test('admits no new client while auth is down, and resumes the feed afterwards', async (t) => {
  const { installation, app, log, http, ws, token } = await story(t)
  const { access_token } = await token()
  const peer = await dial(`${ws}/echo`, { token: access_token })
  let from = log.lines.length
  await installation.auth.kill()
  await log.line('feed is lost', from)
  const answer = await refused(`${ws}/echo`, { token: access_token })
  t.equal(answer.status, 503)
  t.match(answer.headers['retry-after'], /^\d+$/)
  t.equal((await fetch(`${http}/ready`)).status, 503)
  t.equal(await peer.ask('x'), 'ada: x', 'the open socket stays open')

  from = log.lines.length
  await installation.auth.restart()
  await log.line('feed is in sync', from)
  t.equal(app.gate.stats.resyncs, 0, 'the feed resumed')
  const revoked = await installation.api('POST', '/v1/revocations', {
    identity: 'shop',
    // The receipt waits for the killed auth instance until its lease runs out.
    wait: 20_000,
  })
  t.match(revoked.body, { complete: true })
  t.equal((await peer.closed).code, 4500)
  const written = log.lines.join('')
  t.notOk(written.includes(access_token), 'no token in the log')
})

t.test('receipts do not wait for an app that has closed', async (t) => {
  const { installation, app, ws, token } = await story(t)
  const peer = await dial(`${ws}/echo`, { token: (await token()).access_token })
  await app.close()
  await peer.closed
  const { body } = await installation.api('POST', '/v1/revocations', {
    identity: 'shop',
    wait: 5000,
  })
  t.match(body, { complete: true })
  t.strictSame(body.nodes, [])
})
