import { startInstallation } from '@portcullis/local'
import { Centrifuge } from 'centrifuge'
import t from 'tap'
import { WebSocket } from 'ws'

// centrifugal.dev issue 80: a client subscribes to all its channels in one message. With a token for each
// the message was too long, and the client never came back.
t.test('a client with the most channels, and a token for each, comes back', async (t) => {
  const { realtime, identityClient } = await startInstallation(t, { realtime: 1 })
  const [node] = realtime
  const subject = 'u'.repeat(255)
  const shop = await identityClient(`s${'h'.repeat(127)}`, ['tokens:issue', 'subscribe:*'])
  const issue = async (body: object) => {
    const answer = await shop.api('POST', '/v1/tokens', { subject, ...body })
    return answer.body.access_token
  }
  const names = Array.from({ length: 128 }, (_, at) => `${at}`.padEnd(255, '-'))
  const channels = await Promise.all(
    names.map(async (channel) => ({ channel, token: await issue({ channel }) })),
  )

  const client = new Centrifuge(node.wsUrl, {
    websocket: class extends WebSocket {
      constructor(url: string, protocols: string | string[] = []) {
        super(url, ['portcullis', `bearer.${own}`, ...[protocols].flat()])
      }
    },
    minReconnectDelay: 1,
    maxReconnectDelay: 10,
  })
  t.teardown(() => {
    client.removeAllListeners('disconnected')
    client.disconnect()
  })
  const own = await issue({ scope: 'subscribe:*' })
  const subscriptions = channels.map(({ channel, token }) =>
    client.newSubscription(channel, { token }),
  )
  client.on('disconnected', ({ code, reason }) => t.fail(`stopped: ${code} ${reason}`))
  const allSubscribed = () =>
    Promise.all(
      subscriptions.map(
        (subscription) => new Promise((resolve) => subscription.once('subscribed', resolve)),
      ),
    )
  const first = allSubscribed()
  for (const subscription of subscriptions) {
    subscription.subscribe()
  }
  client.connect()
  await first
  const again = allSubscribed()
  Reflect.get(Reflect.get(client, '_transport'), '_transport').terminate()
  await again
  t.pass('all channels are back')
})
