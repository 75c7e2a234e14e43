import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient, Refused } from './protocol-client.js'

t.test('without auth no client is admitted, and live sockets stay', async (t) => {
  const { auth, realtime, api, userToken } = await startInstallation(t, { realtime: 1 })
  const [node] = realtime
  const ada = await userToken('ada', 'subscribe:* publish:*')
  const live = await ProtocolClient.open(node.wsUrl, ada.access_token)
  await live.command({ subscribe: { channel: 'news' } })

  await auth.kill()
  const refused = await ProtocolClient.open(node.wsUrl, ada.access_token).catch(
    (error: unknown) => error,
  )
  t.ok(refused instanceof Refused && refused.status === 503, 'an upgrade is refused')
  t.ok(
    refused instanceof Refused && refused.headers['retry-after'] !== undefined,
    'with Retry-After',
  )
  t.notOk((await live.command({ publish: { channel: 'news', data: 1 } })).error)
  t.same(await live.received(1), [1], 'the live socket works')

  await auth.restart()
  await node.ready()
  const again = await ProtocolClient.open(node.wsUrl, ada.access_token)
  // The receipt waits for the killed instance until its lease has expired.
  const revoked = await api('POST', '/v1/revocations', { token: ada.jti, wait: 20_000 })
  t.match(revoked.body, { complete: true }, 'the node has applied it')
  t.equal((await live.closed).code, 4500, 'a socket opened before the outage')
  t.equal((await again.closed).code, 4500, 'a socket opened after the outage')
})
