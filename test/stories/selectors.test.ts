import type { TokenInfo, TokenResponse } from '@portcullis/contracts/tokens'
import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient, Refused } from './protocol-client.js'

// nats-server CVE-2020-26892: revocation was checked on one path and not on another. So every selector
// is tested on every path that accepts a token.

interface Victim {
  token: string
  jti: string
  /** Ids of the token that issued it, and of that token's issuer. */
  parents: string[]
  identity: string
  subject: string
  label: string
}

const selectors: Record<string, (victim: Victim) => Record<string, unknown>> = {
  jti: ({ jti }) => ({ token: jti }),
  token: ({ token }) => ({ token }),
  'cascade from its grandparent': ({ parents }) => ({ token: parents[1], cascade: true }),
  subject: ({ identity, subject }) => ({ identity, subject }),
  label: ({ identity, label }) => ({ identity, label }),
  identity: ({ identity }) => ({ identity }),
  'suspended identity': () => ({}),
}

t.test('a token revoked by any selector is refused on every path', async (t) => {
  const { auth, realtime, api, identityClient } = await startInstallation(t, {
    realtime: 1,
    env: { ADMISSION: 'connect' },
  })
  const [node] = realtime

  for (const [name, selector] of Object.entries(selectors)) {
    await t.test(`revoked by ${name}`, async (t) => {
      const identity = `shop-${name.replaceAll(' ', '-')}`
      const shop = await identityClient(identity, ['tokens:issue', 'subscribe:*', 'publish:*'])
      const order = { subject: 'ada', scope: 'subscribe:* publish:*' }
      // The shop's token issues the backend's token, which issues the victim's.
      const scope = `tokens:issue ${order.scope}`
      const backend = await shop.api('POST', '/v1/tokens', { subject: 'backend', scope })
      const { access_token: token, jti } = await issueWith(auth.url, backend.body.access_token, {
        ...order,
        labels: ['old'],
      })
      const { parents } = (await api('GET', `/v1/tokens/${jti}`)).body as TokenInfo
      const victim = { token, jti, parents, identity, subject: 'ada', label: 'old' }
      const live = await ProtocolClient.open(node.wsUrl, victim.token)
      await live.command({ subscribe: { channel: 'news' } })

      const answer =
        name === 'suspended identity'
          ? await api('POST', `/v1/identities/${identity}/suspend`)
          : await api('POST', '/v1/revocations', { ...selector(victim), wait: 5000 })
      t.ok(answer.status < 300, `revoked: ${JSON.stringify(answer.body)}`)
      if (name !== 'suspended identity') {
        t.match(answer.body, { complete: true })
      }

      t.same(await live.closed, { code: 4500, reason: 'token revoked' }, 'a live socket')
      const upgrade = await ProtocolClient.open(node.wsUrl, victim.token).catch(
        (error: unknown) => error,
      )
      t.ok(upgrade instanceof Refused && upgrade.status === 401, 'a new upgrade')
      const first = await ProtocolClient.openWithFirstFrame(node.wsUrl, victim.token).catch(
        (error: unknown) => String(error),
      )
      t.match(first, /3500/, 'a first frame')
      const published = await fetch(`${node.url}/api/publish`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${victim.token}` },
        body: JSON.stringify({ channel: 'news', data: 1 }),
      })
      t.equal(published.status, 401, 'the server API')
      if (name !== 'suspended identity') {
        // A socket with a newer token of the same user; a suspended identity gets none.
        const { body } = await shop.api('POST', '/v1/tokens', order)
        const newer = await ProtocolClient.open(node.wsUrl, body.access_token)
        t.ok((await newer.command({ refresh: { token: victim.token } })).error, 'a refresh')
        await newer.close()
      }
      const introspected = await api('POST', '/v1/introspections', { tokens: [victim.token] })
      t.same(introspected.body, { results: [{ active: false }] }, 'batch introspection')
    })
  }
})

async function issueWith(url: string, token: string, order: object): Promise<TokenResponse> {
  const answer = await fetch(`${url}/v1/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(order),
  })
  if (answer.status !== 201) {
    throw new Error(`auth answered ${answer.status}`)
  }
  return (await answer.json()) as TokenResponse
}
