import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient } from './protocol-client.js'

t.test('no log line contains a token or a registration code', async (t) => {
  const { auth, realtime, admin, api, identityClient, userToken } = await startInstallation(t, {
    realtime: 2,
    env: { LOG_LEVEL: 'trace' },
  })
  const secrets: string[] = [admin.registrationCode]
  const shop = await identityClient('shop', ['tokens:issue', 'subscribe:*', 'publish:*'])
  secrets.push(shop.registrationCode, await shop.accessToken())
  const issued = await shop.api('POST', '/v1/tokens', { subject: 'ada' })
  secrets.push(issued.body.access_token)
  const ada = await userToken('ada', 'subscribe:* publish:*')
  secrets.push(ada.access_token)
  const [first, second] = realtime
  const client = await ProtocolClient.open(first.wsUrl, ada.access_token)
  await client.command({ subscribe: { channel: 'news' } })
  await client.command({ publish: { channel: 'news', data: 1 } })
  await client.command({ refresh: { token: issued.body.access_token } })
  // Errors are logged too: send wrong secrets wherever a secret is accepted.
  await client.command({ refresh: { token: `${ada.access_token}x` } })
  await ProtocolClient.open(second.wsUrl, `${ada.access_token}x`).catch(() => undefined)
  await fetch(`${second.url}/connection/websocket?access_token=${ada.access_token}`)
  await fetch(`${second.url}/api/publish?token=${ada.access_token}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': ada.access_token },
    body: '{',
  })
  for (const body of [
    `grant_type=client_credentials&client_id=shop&client_secret=${shop.registrationCode}x`,
    `grant_type=nothing&client_id=shop&client_secret=${shop.registrationCode}`,
  ]) {
    await fetch(`${auth.url}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    })
  }
  await fetch(`${auth.url}/oauth/token?client_secret=${shop.registrationCode}`, { method: 'POST' })
  await api('POST', '/v1/introspections', { tokens: [ada.access_token, `${ada.access_token}x`] })
  await api('POST', '/v1/revocations', { token: `${ada.access_token}x` })
  await api('POST', '/v1/revocations', { token: ada.access_token, wait: 5000 })
  await api('POST', '/v1/identities/shop/suspend')
  await client.closed

  const output = [auth, ...realtime].map((service) => service.output()).join('\n')
  t.match(output, /"level":20/, 'the log has the finest level')
  for (const secret of secrets) {
    t.notOk(output.includes(secret), 'a whole secret')
    // The end of a JWT is its signature; every part of a code is secret.
    t.notOk(output.includes(secret.slice(-40)), 'the end of a secret')
  }
})
