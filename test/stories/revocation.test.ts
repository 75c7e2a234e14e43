import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient, Refused } from './protocol-client.js'

// laravel/reverb#399: the reply said "revoked", but the socket stayed open, so these stories check the
// socket. nsc#442: the socket was closed, but the same token could reconnect.

t.test('revoking a user closes its sockets on every node, and its token is refused', async (t) => {
  const { realtime, api, userToken } = await startInstallation(t, { realtime: 2 })
  const [first, second] = realtime
  const ada = await userToken('ada', 'subscribe:demo:* publish:demo:*')
  const bob = await userToken('bob', 'subscribe:demo:* publish:demo:*')

  const here = await ProtocolClient.open(first.wsUrl, ada.access_token)
  const there = await ProtocolClient.open(second.wsUrl, ada.access_token)
  const other = await ProtocolClient.open(second.wsUrl, bob.access_token)
  for (const client of [here, there, other]) {
    t.notOk((await client.command({ subscribe: { channel: 'demo:hello' } })).error, 'subscribed')
  }
  t.notOk((await here.command({ publish: { channel: 'demo:hello', data: { n: 1 } } })).error)
  for (const client of [here, there, other]) {
    t.same(await client.received(1), [{ n: 1 }], 'a publication reaches both nodes')
  }

  const revoked = await api('POST', '/v1/revocations', {
    identity: 'admin',
    subject: 'ada',
    wait: 5000,
  })
  t.equal(revoked.status, 201)
  t.match(revoked.body, { complete: true, tokens: 1 })
  t.same(
    revoked.body.nodes.map((node: { state: string; connectionsClosed: number }) => [
      node.state,
      node.connectionsClosed,
    ]),
    [
      ['acked', 1],
      ['acked', 1],
    ],
    'each node reports its closed connections',
  )
  for (const client of [here, there]) {
    t.same(await client.closed, { code: 4500, reason: 'token revoked' })
  }
  for (const { wsUrl } of realtime) {
    const refused = await ProtocolClient.open(wsUrl, ada.access_token).catch(
      (error: unknown) => error,
    )
    t.ok(refused instanceof Refused && refused.status === 401, 'the same token is refused')
  }

  t.notOk((await other.command({ publish: { channel: 'demo:hello', data: { n: 2 } } })).error)
  t.same(await other.received(2), [{ n: 1 }, { n: 2 }], 'another user is not affected')
  t.same(here.publications, [{ n: 1 }], 'nothing after the close')
  const receipt = await api('GET', `/v1/revocations/${revoked.body.id}`)
  t.same(receipt.body, revoked.body, 'the receipt can be read later')
  await other.close()
})

// docs/guarantee.md, "What stays".
t.test('a subscription made by a revoked service lasts until it is removed', async (t) => {
  const { realtime, api, identityClient } = await startInstallation(t, { realtime: 1 })
  const [node] = realtime
  const scopes = ['tokens:issue', 'tokens:revoke', 'subscribe:demo:*', 'publish:demo:*']
  const shop = await identityClient('shop', scopes)
  const issued = await shop.api('POST', '/v1/tokens', { subject: 'ada', scope: 'subscribe:demo:a' })
  const ada = await ProtocolClient.open(node.wsUrl, issued.body.access_token)
  const call = async (token: string, command: string, body: object) => {
    const answer = await fetch(`${node.url}/api/${command}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return answer.status
  }
  const [first, second] = [await shop.accessToken(), await shop.accessToken()]
  const subscription = { user: 'ada', channel: 'demo:given' }
  const publish = (n: number) => call(second, 'publish', { channel: 'demo:given', data: { n } })
  t.equal(await call(first, 'subscribe', subscription), 200)
  // The subscription takes effect later at the node; earlier publications are not received.
  for (let n = 1; ada.publications.length === 0; n += 1) {
    t.equal(await publish(n), 200)
  }
  const before = ada.publications.length

  const revoked = await api('POST', '/v1/revocations', { token: first, wait: 5000 })
  t.match(revoked.body, { complete: true, tokens: 1 })
  t.equal(await call(first, 'subscribe', { user: 'ada', channel: 'demo:more' }), 401)
  t.equal(await publish(100), 200)
  while (!JSON.stringify(ada.publications).includes('100')) {
    await ada.received(ada.publications.length + 1)
  }
  t.ok(ada.publications.length > before, 'the subscription belongs to the connection')

  const unsubscribed = ada.pushed('unsubscribe')
  t.equal(await call(second, 'unsubscribe', subscription), 200)
  await unsubscribed
  await ada.close()
})
