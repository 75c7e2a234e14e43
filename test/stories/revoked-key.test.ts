import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient } from './protocol-client.js'

const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid

t.test('revoking a key closes every socket, and the next key signs at once', async (t) => {
  const { realtime, api, userToken } = await startInstallation(t, { realtime: 1 })
  const [node] = realtime
  const ada = await userToken('ada', 'subscribe:*')
  const client = await ProtocolClient.open(node.wsUrl, ada.access_token)
  const kid = kidOf(ada.access_token)

  const revoked = await api('POST', `/v1/keys/${kid}/revoke`, {
    reason: 'stolen',
    wait: 10_000,
  })
  t.equal((await client.closed).code, 4500)
  t.match(revoked.body, {
    kid,
    revocation: { complete: true, nodes: [{ state: 'acked', connectionsClosed: 1 }] },
  })
  await node.ready()
  const fresh = await userToken('ada', 'subscribe:*')
  t.not(kidOf(fresh.access_token), kid)
  const again = await ProtocolClient.open(node.wsUrl, fresh.access_token)
  t.notOk((await again.command({ subscribe: { channel: 'news' } })).error)
  await again.close()
})
