import { startAuth, startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient } from './protocol-client.js'

t.test('lists the connections of every node, from either auth instance', async (t) => {
  const { auth, realtime, redis, api, userToken } = await startInstallation(t, { realtime: 2 })
  const second = await startAuth({ redisUrl: redis.url, prefix: redis.prefix, env: auth.sharedEnv })
  t.teardown(() => second.stop())
  const [here, there] = realtime
  const ada = await userToken('ada', 'subscribe:*')
  const bob = await userToken('bob', 'subscribe:*')
  const clients = await Promise.all([
    ProtocolClient.open(here.wsUrl, ada.access_token),
    ProtocolClient.open(there.wsUrl, ada.access_token),
    ProtocolClient.open(there.wsUrl, ada.access_token),
    ProtocolClient.open(there.wsUrl, bob.access_token),
  ])
  const path = '/v1/connections?identity=admin&wait=10000'
  // The nodes are connected to the first instance; the second must get their answers too.
  for (const ask of [api, second.api]) {
    t.match((await ask('GET', path)).body, {
      complete: true,
      connections: 4,
      nodes: [{ state: 'answered' }, { state: 'answered' }],
      tokens: [
        { jti: bob.jti, subject: 'bob', connections: 1 },
        { jti: ada.jti, subject: 'ada', connections: 3, nodes: { length: 2 } },
      ],
    })
  }
  await api('POST', '/v1/revocations', { token: ada.jti, wait: 5000 })
  t.match((await api('GET', path)).body, { connections: 1, tokens: [{ jti: bob.jti }] })
  await Promise.all(clients.map((client) => client.close()))
})
