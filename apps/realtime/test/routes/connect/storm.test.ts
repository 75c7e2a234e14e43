import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { WebSocket } from 'ws'
import { connected } from '../../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

// teleport#6889, firezone#11493: auth restarts, and every client dials in the same second.

const clients = 200
const maxAdmissions = 25

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  MAX_ADMISSIONS: String(maxAdmissions),
})

/** Dials once: gives the socket, or how many seconds to stay away. */
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

t.test('auth gets what it can take, and all others a time to come back', async (t) => {
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
  t.ok(auth.introspected - askedBefore <= maxAdmissions, 'of 200 in one second it is asked for 25')
  t.match(await standing.call({ id: 2, unsubscribe: { channel: 'x' } }), { id: 2 })

  const spread = new Map<number, number>()
  for (const seconds of refusals) {
    spread.set(seconds, (spread.get(seconds) ?? 0) + 1)
  }
  t.same([...spread.keys()].sort(), [1, 2, 3, 4, 5], 'they are sent away for 1 to 5 seconds')
  t.ok(Math.max(...spread.values()) < refusals.length / 2, 'and not all for the same')

  auth.hold = undefined
  restarted()
  const began = performance.now()
  let tries = 0
  const arrive = async (token: string, first: Promise<WebSocket | number>) => {
    for (let found = await first; typeof found === 'number'; found = await attempt(token)) {
      // As told, in a clock that runs twenty times as fast.
      await wait(found * 50)
      tries += 1
    }
  }
  await Promise.all(tokens.map((token, at) => arrive(token, firstTries[at] ?? attempt(token))))
  const { batches, largestBatch } = node.app.gate.stats
  t.ok(largestBatch <= maxAdmissions, 'never more than that at once')
  t.ok(tries < clients * 3, `${tries} tries until all were back`)
  t.comment(
    `${clients} clients: ${refusals.length} sent away at first (${JSON.stringify([...spread].sort())}), `,
    `${tries} tries more, all back in ${Math.round(performance.now() - began)} ms of a fast clock; `,
    `auth was asked ${batches} times, for ${largestBatch} tokens at most`,
  )
})
