import { fileURLToPath } from 'node:url'
import { startAuth, startInstallation, startRealtime, testRedis } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient } from '../stories/protocol-client.js'

// keycloak 8966, node-jsonwebtoken 141: the clock of one machine is wrong, and tokens outlive their expiry
// there, or are refused at once.

const preload = fileURLToPath(new URL('other-clock.cjs', import.meta.url))
const skewed = (minutes: number) => ({
  NODE_OPTIONS: `--require ${preload}`,
  SKEW_MS: `${minutes * 60_000}`,
})
const shifts = [-120, 120]

t.test('a token expires at its time at a node whose clock is wrong', async (t) => {
  const { auth, redis, api, identityClient } = await startInstallation(t, { realtime: 0 })
  const credentials = await identityClient('node', ['introspect', 'feed'])
  for (const minutes of shifts) {
    await t.test(`by ${minutes} minutes`, async (t) => {
      const node = await startRealtime({
        redisUrl: redis.url,
        prefix: redis.prefix,
        authUrl: auth.url,
        credentials,
        env: skewed(minutes),
      })
      t.teardown(() => node.stop())
      const { body } = await api('POST', '/v1/tokens', {
        subject: 'ada',
        scope: 'subscribe:b',
        ttlSeconds: 3,
      })
      const { access_token: token } = body as { access_token: string }
      const began = performance.now()
      const client = await ProtocolClient.open(node.wsUrl, token)
      t.match(await client.command({ subscribe: { channel: 'a' } }), { error: { code: 103 } })
      const { code } = await client.closed
      t.equal(code, 3005)
      t.ok(performance.now() - began > 1500, 'not before its time')
      await t.rejects(ProtocolClient.open(node.wsUrl, token), /401/)
    })
  }
})

t.test('an auth whose clock is wrong issues, introspects and revokes', async (t) => {
  for (const minutes of shifts) {
    await t.test(`by ${minutes} minutes`, async (t) => {
      const redis = await testRedis(t)
      const auth = await startAuth({
        redisUrl: redis.url,
        prefix: redis.prefix,
        env: skewed(minutes),
      })
      t.teardown(() => auth.stop())
      const issue = async (ttlSeconds: number) => {
        const order = { subject: 'ada', scope: 'subscribe:b', ttlSeconds }
        const { body } = await auth.api('POST', '/v1/tokens', order)
        return body as { access_token: string; jti: string; expires_in: number }
      }
      const active = async (token: string) => {
        const { body } = await auth.api('POST', '/v1/introspections', { tokens: [token] })
        return (body as { results: { active: boolean }[] }).results[0]?.active
      }
      const brief = await issue(2)
      t.equal(brief.expires_in, 2)
      t.equal(await active(brief.access_token), true)
      const long = await issue(600)
      const receipt = await auth.api('POST', '/v1/revocations', { jti: long.jti })
      t.match(receipt.body, { tokens: 1 })
      t.equal(await active(long.access_token), false, 'revoked')
      while (await active(brief.access_token)) {}
      t.pass('expired')
    })
  }
})
