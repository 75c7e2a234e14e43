import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient } from './protocol-client.js'

t.test('a revocation closes sockets at every worker, and the receipt lists each', async (t) => {
  const { auth, realtime, api, userToken, identityClient } = await startInstallation(t, {
    realtime: 1,
    env: { WORKERS: '2', NODE_NAME: 'edge' },
  })
  const [node] = realtime
  const nodes = await api('GET', '/v1/nodes')
  t.same(
    (nodes.body as { nodes: { node: string }[] }).nodes.map(({ node }) => node),
    ['edge-1', 'edge-2'],
    'each worker is a node',
  )

  const ada = await userToken('ada', 'subscribe:demo:*')
  const open = new Map<string, ProtocolClient[]>([
    ['edge-1', []],
    ['edge-2', []],
  ])
  while ([...open.values()].some((clients) => clients.length === 0)) {
    const client = await ProtocolClient.open(node.wsUrl, ada.access_token)
    open.get(client.node)?.push(client)
  }

  const shop = await identityClient('shop', ['nodes:read'])
  const info = await fetch(`${node.url}/api/info`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await shop.accessToken()}` },
  })
  const { result } = (await info.json()) as { result: { nodes: { name: string }[] } }
  t.same(result.nodes.map(({ name }) => name).sort(), ['edge-1', 'edge-2'], 'info lists each')

  const selector = { identity: 'admin', subject: 'ada' }
  const revoked = await api('POST', '/v1/revocations', { ...selector, wait: 5000 })
  t.match(revoked.body, { complete: true, tokens: 1 })
  const parts = revoked.body.nodes.map(
    (part: { node: string; state: string; connectionsClosed: number }) => [
      part.node,
      part.state,
      part.connectionsClosed,
    ],
  )
  t.same(
    parts.sort(),
    [...open].map(([name, clients]) => [name, 'acked', clients.length]),
  )
  for (const client of [...open.values()].flat()) {
    t.same(await client.closed, { code: 4500, reason: 'token revoked' })
  }
  t.equal(revoked.body.auths.length, 2, 'each worker of auth is a part too')

  const metrics = await (await fetch(`${auth.url}/metrics`)).text()
  t.match(metrics, /^portcullis_workers 2$/m)
  t.match(metrics, /^portcullis_auth_feed_nodes 2$/m, 'the nodes of all workers of auth')
  t.match(metrics, /^portcullis_auth_revocations_total\{selector="identity_subject"\} 1$/m)
})
