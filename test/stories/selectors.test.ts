import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient, Refused } from './protocol-client.js'

// nats-server CVE-2020-26892: revocation was checked on one path and not on another. Each selector
// against each thing that a token opens. Recovery joins with its feature.

interface Victim {
  token: string
  jti: string
  identity: string
  subject: string
  label: string
}

const selectors: Record<string, (victim: Victim) => Record<string, unknown>> = {
  jti: ({ jti }) => ({ token: jti }),
  token: ({ token }) => ({ token }),
  subject: ({ identity, subject }) => ({ identity, subject }),
  label: ({ identity, label }) => ({ identity, label }),
  identity: ({ identity }) => ({ identity }),
  'suspended identity': () => ({}),
}

t.test('every selector closes every path', async (t) => {
  const { realtime, api, identityClient } = await startInstallation(t, {
    realtime: 1,
    env: { ADMISSION: 'connect' },
  })
  const [node] = realtime

  for (const [name, selector] of Object.entries(selectors)) {
    await t.test(`revoked by ${name}`, async (t) => {
      const identity = `shop-${name.replace(' ', '-')}`
      const shop = await identityClient(identity, ['tokens:issue', 'subscribe:*', 'publish:*'])
      const issue = async (label: string) => {
        const { body } = await shop.api('POST', '/v1/tokens', { subject: 'ada', labels: [label] })
        return {
          token: body.access_token as string,
          jti: body.jti as string,
          identity,
          subject: 'ada',
          label,
        }
      }
      const victim = await issue('old')
      const live = await ProtocolClient.open(node.wsUrl, victim.token)
      await live.command({ subscribe: { channel: 'news' } })

      const answer =
        name === 'suspended identity'
          ? await api('POST', `/v1/identities/${identity}/suspend`)
          : await api('POST', '/v1/revocations', { ...selector(victim), wait: 5000 })
      t.ok(answer.status < 300, `revoked: ${JSON.stringify(answer.body)}`)

      t.same(await live.closed, { code: 4500, reason: 'token revoked' }, 'a live socket')
      const upgrade = await ProtocolClient.open(node.wsUrl, victim.token).catch(
        (error: unknown) => error,
      )
      t.ok(upgrade instanceof Refused && upgrade.status === 401, 'a new upgrade')
      const first = await ProtocolClient.openWithFirstFrame(node.wsUrl, victim.token).catch(
        (error: unknown) => String(error),
      )
      t.match(first, /109/, 'a first frame')
      const published = await fetch(`${node.url}/api/publish`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${victim.token}` },
        body: JSON.stringify({ channel: 'news', data: 1 }),
      })
      t.equal(published.status, 401, 'the server API')
      if (name !== 'suspended identity') {
        // A socket on a younger token of the same user; a suspended identity gets none.
        const younger = await ProtocolClient.open(node.wsUrl, (await issue('new')).token)
        t.ok((await younger.command({ refresh: { token: victim.token } })).error, 'a refresh')
        await younger.close()
      }
      const introspected = await api('POST', '/v1/introspections', { tokens: [victim.token] })
      t.same(introspected.body, { results: [{ active: false }] }, 'batch introspection')
    })
  }
})
