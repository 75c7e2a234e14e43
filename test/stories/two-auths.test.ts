import { startAuth, startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient } from './protocol-client.js'

t.test('two auth instances share keys, tokens, the feed and receipts', async (t) => {
  const { auth, realtime, redis, userToken } = await startInstallation(t, { realtime: 1 })
  const second = await startAuth({ redisUrl: redis.url, prefix: redis.prefix, env: auth.sharedEnv })
  t.teardown(() => second.stop())
  const [node] = realtime
  const ada = await userToken('ada', 'subscribe:*')
  const client = await ProtocolClient.open(node.wsUrl, ada.access_token)

  const jwks = await Promise.all(
    [auth, second].map(async ({ url }) => (await fetch(`${url}/.well-known/jwks.json`)).json()),
  )
  t.same(jwks[0], jwks[1], 'the same keys')
  const revoked = await second.api('POST', '/v1/revocations', {
    token: ada.access_token,
    wait: 5000,
  })
  t.match(
    revoked.body,
    { complete: true, nodes: [{ state: 'acked', connectionsClosed: 1 }] },
    'revoked at one instance, closed and acknowledged through the other',
  )
  t.equal((await client.closed).code, 4500)
})
