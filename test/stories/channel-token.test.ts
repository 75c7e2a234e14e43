import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient } from './protocol-client.js'

t.test('revoking a token for one channel ends the subscription, not the connection', async (t) => {
  const { realtime, api, userToken } = await startInstallation(t, { realtime: 2 })
  const [node, other] = realtime
  const { access_token: own } = await userToken('ada', 'subscribe:news')
  const client = await ProtocolClient.open(node.wsUrl, own)
  const room = { channel: 'room:7' }
  t.match(await client.command({ subscribe: room }), { error: { code: 103 } })

  const { body } = await api('POST', '/v1/tokens', { subject: 'ada', channel: 'room:7' })
  const { access_token: token, jti } = body as { access_token: string; jti: string }
  const subscribed = await client.command({ subscribe: { ...room, token } })
  t.match(subscribed, { subscribe: { expires: true } })
  await client.command({ subscribe: { channel: 'news' } })

  const receipt = await api('POST', '/v1/revocations', { token: jti, wait: 5000 })
  t.match(receipt.body, { complete: true, nodes: [{ state: 'acked' }, { state: 'acked' }] })
  const again = await client.command({ subscribe: { ...room, token } })
  t.match(
    again,
    { error: { code: 103 } },
    'the subscription has ended (not 105), and the token is refused',
  )

  const publisher = await ProtocolClient.open(
    other.wsUrl,
    (await userToken('press', 'publish:*')).access_token,
  )
  await publisher.command({ publish: { ...room, data: 'not delivered' } })
  await publisher.command({ publish: { channel: 'news', data: 'delivered' } })
  t.same(await client.received(1), ['delivered'])
})
