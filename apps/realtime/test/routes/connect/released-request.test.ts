import type { IncomingMessage } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { connected } from '../../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

t.test('an open socket does not keep the request of its upgrade', async (t) => {
  const auth = await scriptedAuth(t)
  const node = await realtimeNode(t, { AUTH_URL: auth.url, REDIS_PREFIX: randomPrefix() })
  const upgrades: WeakRef<IncomingMessage>[] = []
  node.app.server.on('upgrade', (request) => upgrades.push(new WeakRef(request)))
  const peer = await connected(node.wsUrl, auth.issue())
  // Each collection needs turns of the event loop before it: a turn keeps what it has dereferenced.
  for (let turn = 0; turn < 100 && upgrades[0]?.deref() !== undefined; turn += 1) {
    await new Promise(setImmediate)
    collectGarbage()
  }
  t.equal(upgrades.length, 1)
  t.equal(upgrades[0]?.deref(), undefined)
  t.same(await peer.call({ id: 2, subscribe: { channel: 'news' } }), { id: 2, subscribe: {} })
})
