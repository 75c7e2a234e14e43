import t from 'tap'
import { WebSocket } from 'ws'
import { connected } from '../../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

// teleport#6889, firezone#11493: auth restarts, and all clients reconnect within a second.

const clients = 200
const maxAdmissions = 25

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  MAX_ADMISSIONS: String(maxAdmissions),
})

/** Dials once; returns the status of the reply: 101, or that of the refusal. */
function attempt(token: string): Promise<number> {
  const socket = new WebSocket(node.wsUrl, { headers: { authorization: `Bearer ${token}` } })
  t.teardown(() => socket.terminate())
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => resolve(101))
    socket.on('unexpected-response', (_request, response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
  })
}

t.test('admits all clients of a storm, few at a time, and refuses none', async (t) => {
  const standing = await connected(node.wsUrl, auth.issue())
  let restarted = () => {}
  auth.hold = new Promise((resolve) => {
    restarted = resolve
  })
  const askedBefore = auth.introspected
  let arrived = 0
  node.app.server.on('upgrade', () => {
    arrived += 1
  })
  const tokens = Array.from({ length: clients }, (_, at) => auth.issue({ subject: `user-${at}` }))
  const replies = Promise.all(tokens.map(attempt))
  while (arrived < clients || auth.introspected === askedBefore) {
    await new Promise(setImmediate)
  }
  t.match(await standing.call({ id: 2, unsubscribe: { channel: 'x' } }), { id: 2 })
  t.ok(auth.introspected - askedBefore <= maxAdmissions, '25 introspections for 200 clients')
  auth.hold = undefined
  restarted()
  t.same(new Set(await replies), new Set([101]))
  t.equal(auth.introspected - askedBefore, clients, 'each token is introspected once')
  t.ok(node.app.gate.stats.largestBatch <= maxAdmissions, 'never more in one request')
})
