import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { ProtocolClient } from './protocol-client.js'

// The nodes' own tokens are revoked too: nodes must get new ones and still acknowledge.

t.test(
  'revoking every token closes every socket, and the installation keeps working',
  async (t) => {
    const { realtime, api, userToken } = await startInstallation(t, { realtime: 2 })
    const [here, there] = realtime
    const clients = await Promise.all(
      [here, there].map(async ({ wsUrl }, index) => {
        const { access_token } = await userToken(`user-${index}`, 'subscribe:*')
        return await ProtocolClient.open(wsUrl, access_token)
      }),
    )
    const revoked = await api('POST', '/v1/revocations', { all: true, wait: 10_000 })
    for (const client of clients) {
      t.equal((await client.closed).code, 4500)
    }
    t.match(revoked.body, {
      complete: true,
      nodes: [
        { state: 'acked', connectionsClosed: 1 },
        { state: 'acked', connectionsClosed: 1 },
      ],
    })
    await Promise.all([here.ready(), there.ready()])
    const fresh = await userToken('ada', 'subscribe:*')
    const again = await ProtocolClient.open(here.wsUrl, fresh.access_token)
    t.notOk((await again.command({ subscribe: { channel: 'news' } })).error, 'new tokens work')
    await again.close()
  },
)
