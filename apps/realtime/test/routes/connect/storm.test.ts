import { setTimeout as wait } from 'node:timers/promises'
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

/** Dials once; returns the socket, or the seconds of Retry-After. */
function attempt(token: string): Promise<WebSocket | number> {
  const socket = new WebSocket(node.wsUrl, { headers: { authorization: `Bearer ${token}` } })
  t.teardown(() => socket.terminate())
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => resolve(socket))
    socket.on('unexpected-response', (_request, response) => {
      response.resume()
      if (response.statusCode !== 503) {
        reject(new Error(`answered ${response.statusCode}`))
      } else {
        resolve(Number(response.headers['retry-after']))
      }
    })
  })
}

t.test('bounds introspections and spreads refused clients over time', async (t) => {
  const standing = await connected(node.wsUrl, auth.issue())
  let restarted = () => {}
  auth.hold = new Promise((resolve) => {
    restarted = resolve
  })
  const askedBefore = auth.introspected
  const tokens = Array.from({ length: clients }, (_, at) => auth.issue({ subject: `user-${at}` }))
  const firstTries = tokens.map(attempt)
  const refusals: number[] = []
  for (const each of firstTries) {
    void each.then((found) => typeof found === 'number' && refusals.push(found))
  }
  while (refusals.length < clients - maxAdmissions) {
    await new Promise(setImmediate)
  }
  t.ok(auth.introspected - askedBefore <= maxAdmissions, '25 introspections for 200 clients')
  t.match(await standing.call({ id: 2, unsubscribe: { channel: 'x' } }), { id: 2 })

  const spread = new Map<number, number>()
  for (const seconds of refusals) {
    spread.set(seconds, (spread.get(seconds) ?? 0) + 1)
  }
  t.same([...spread.keys()].sort(), [1, 2, 3, 4, 5], 'Retry-After is 1 to 5 seconds')
  t.ok(Math.max(...spread.values()) < refusals.length / 2, 'spread over these values')

  auth.hold = undefined
  restarted()
  const began = performance.now()
  let tries = 0
  const arrive = async (token: string, first: Promise<WebSocket | number>) => {
    for (let found = await first; typeof found === 'number'; found = await attempt(token)) {
      // Waits as told, on a clock twenty times as fast.
      await wait(found * 50)
      tries += 1
    }
  }
  await Promise.all(tokens.map((token, at) => arrive(token, firstTries[at] ?? attempt(token))))
  const { batches, largestBatch } = node.app.gate.stats
  t.ok(largestBatch <= maxAdmissions, 'never more in one request')
  t.ok(tries < clients * 3, `${tries} attempts until all were connected`)
  t.comment(
    `${clients} clients: ${refusals.length} refused at first (${JSON.stringify([...spread].sort())}), `,
    `${tries} further attempts, all connected after ${Math.round(performance.now() - began)} ms of a fast clock; `,
    `${batches} requests to auth, with at most ${largestBatch} tokens`,
  )
})
