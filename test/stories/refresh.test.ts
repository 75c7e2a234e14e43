import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient } from './protocol-client.js'

// klangk#3160: a connection was closed by the revocation of the token it no longer used.

t.test('a socket that moved to a new token survives the revocation of its old one', async (t) => {
  const { realtime, api, userToken } = await startInstallation(t, { realtime: 1 })
  const [node] = realtime
  const scope = 'subscribe:* publish:*'
  const old = await userToken('ada', scope)
  const client = await ProtocolClient.open(node.wsUrl, old.access_token)
  await client.command({ subscribe: { channel: 'news' } })
  const fresh = await userToken('ada', scope)
  const refreshed = await client.command({ refresh: { token: fresh.access_token } })
  t.match(refreshed, { refresh: { expires: true } })

  const rotated = await api('POST', '/v1/revocations', { token: old.jti, wait: 5000 })
  t.match(rotated.body, { complete: true, nodes: [{ connectionsClosed: 0 }] })
  t.notOk(
    (await client.command({ publish: { channel: 'news', data: 1 } })).error,
    'the connection works',
  )

  await api('POST', '/v1/revocations', { identity: 'admin', subject: 'ada', wait: 5000 })
  t.equal((await client.closed).code, 4500, 'a revocation by subject closes it')
})
