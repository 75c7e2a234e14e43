import { once } from 'node:events'
import t from 'tap'
import { application } from '../fixtures/application.js'
import { connected, dial } from '../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const app = await application(t, () => ({ result: { channels: ['other:1', 'chat:1'] } }))
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  NAMESPACES: JSON.stringify({ chat: { historySize: 1, presence: true } }),
  NAMESPACES_STRICT: 'true',
  HANDLERS: JSON.stringify({ connect: app.url }),
})
const scope = 'subscribe:* publish:* history:* presence:*'
const unknown = { error: { code: 102, message: 'unknown channel' } }
const channel = 'other:1'

t.test('refuses commands of clients about channels of other namespaces', async (t) => {
  const peer = dial(node.wsUrl, auth.issue({ scope }))
  await once(peer.socket, 'open')
  const { connect } = await peer.call({ id: 1, connect: {} })
  t.same(Object.keys(Object(connect).subs), ['chat:1'], 'also those that a handler names')
  const commands = [
    { subscribe: { channel } },
    { publish: { channel, data: 1 } },
    { history: { channel } },
    { presence: { channel } },
    { presence_stats: { channel } },
  ]
  for (const [at, command] of commands.entries()) {
    t.same(await peer.call({ id: 2 + at, ...command }), { id: 2 + at, ...unknown })
  }
  t.match(await peer.call({ id: 9, subscribe: { channel: 'plain' } }), { subscribe: {} })
})

t.test('refuses commands of the server API about them', async (t) => {
  await connected(node.wsUrl, auth.issue())
  const backend = auth.issue({ subject: 'shop', scope: `${scope} tokens:issue tokens:revoke` })
  const commands = {
    publish: { channel, data: 1 },
    history: { channel },
    history_remove: { channel },
    presence: { channel },
    presence_stats: { channel },
    subscribe: { channel, user: 'ada' },
  }
  for (const [name, body] of Object.entries(commands)) {
    t.same((await node.api(name, backend, body)).body, unknown, name)
    const { body: batch } = await node.api('batch', backend, { commands: [{ [name]: body }] })
    t.same(batch, { replies: [unknown] }, `${name} in a batch`)
  }
  const channels = ['chat:1', channel, 'plain']
  t.match(await node.api('broadcast', backend, { channels, data: 1 }), {
    body: { result: { responses: [{ result: {} }, unknown, { result: {} }] } },
  })
})
