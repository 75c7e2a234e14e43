import { once } from 'node:events'
import { connect as dialTcp, type Socket } from 'node:net'
import t from 'tap'
import type { WebSocket } from 'ws'
import { connected, dial, refused } from '../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const environment = { AUTH_URL: auth.url, REDIS_PREFIX: randomPrefix() }
const scope = 'subscribe:* publish:* presence:* history:*'
const namespaces = {
  kept: { historySize: 1000, recovery: true, presence: true, joinLeave: true, clientPublish: true },
}
const keeping = { ...environment, NAMESPACES: JSON.stringify(namespaces) }

t.test('closes every connection once, with a code, within the deadline', async (t) => {
  const node = await realtimeNode(t, { ...environment, ADMISSION: 'connect' })
  const token = auth.issue()
  const peers = await Promise.all(Array.from({ length: 20 }, () => connected(node.wsUrl, token)))
  const silent = dial(node.wsUrl, token)
  const guest = dial(node.wsUrl)
  await Promise.all([once(silent.socket, 'open'), once(guest.socket, 'open')])
  const started = performance.now()
  await Promise.all([node.app.close(), node.app.close()])
  t.ok(performance.now() - started < 1500)
  for (const peer of [...peers, silent, guest]) {
    t.same(await peer.closed, { code: 3001, reason: 'shutdown' })
  }
})

t.test(
  'refuses new connections while closing, and serves open ones until their turn',
  async (t) => {
    const node = await realtimeNode(t, { ...keeping, CLOSE_DEADLINE_MS: '20000' })
    const other = await realtimeNode(t, keeping)
    const token = auth.issue({ scope })
    const peers = await Promise.all(Array.from({ length: 50 }, () => connected(node.wsUrl, token)))
    const listener = await connected(other.wsUrl, token)
    await listener.call({ id: 2, subscribe: { channel: 'kept:news' } })
    const closing = node.app.close()

    const ready = await fetch(`${node.url}/ready`)
    t.equal(ready.status, 503)
    t.match(await ready.json(), { reasons: { node: 'closing' } })
    t.equal((await fetch(`${node.url}/health`)).status, 200, '/health still returns 200')
    const upgrade = await refused(node.wsUrl, { headers: { authorization: `Bearer ${token}` } })
    t.equal(upgrade.status, 503)
    t.match(upgrade.headers['retry-after'], /^[1-5]$/)
    const answer = await fetch(`${node.url}/api/publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"channel":"kept:news","data":"refused"}',
    })
    t.equal(answer.status, 503)
    t.match(answer.headers.get('retry-after'), /^[1-5]$/)

    // Each client publishes once, if its connection is still open.
    const said = await Promise.all(
      peers.map(async (peer, n) => {
        const publish = { channel: 'kept:news', data: n }
        const reply = await peer.call({ id: 2, publish }).catch(() => undefined)
        return reply !== undefined && 'publish' in reply ? [n] : []
      }),
    ).then((taken) => taken.flat())
    t.ok(said.length > 10, `${said.length} of 50 were served while closing`)
    const codes = await Promise.all(peers.map(({ closed }) => closed))
    t.ok(codes.every(({ code }) => code === 3001))
    await closing
    const heard = new Set<unknown>()
    while (!said.every((n) => heard.has(n))) {
      const { push } = (await listener.next()) as { push?: { pub?: { data: unknown } } }
      if (push?.pub !== undefined) {
        heard.add(push.pub.data)
      }
    }
    t.notOk(heard.has('refused'))
    t.equal((await dial(node.wsUrl, token).closed).code, 1006, 'the port is closed')
    listener.socket.terminate()
  },
)

t.test(
  'keeps publications accepted while closing, and removes presence and subscriptions',
  async (t) => {
    const node = await realtimeNode(t, keeping)
    const other = await realtimeNode(t, keeping)
    const token = auth.issue({ scope })
    const watcher = await connected(other.wsUrl, token)
    await watcher.call({ id: 2, subscribe: { channel: 'kept:room', join_leave: true } })
    const peers = await Promise.all(Array.from({ length: 10 }, () => connected(node.wsUrl, token)))
    for (const peer of peers) {
      await peer.call({ id: 2, subscribe: { channel: 'kept:room' } })
      await peer.call({ id: 3, subscribe: { channel: 'kept:left' } })
    }
    const backend = auth.issue({ subject: 'shop', scope })
    t.match(await other.api('presence_stats', backend, { channel: 'kept:room' }), {
      body: { result: { num_clients: 11 } },
    })
    let accepted = 0
    const talking = peers.map(async (peer) => {
      for (let id = 4; ; id += 1) {
        const reply = await peer
          .call({ id, publish: { channel: 'kept:room', data: id } })
          .catch(() => undefined)
        if (reply === undefined) {
          return
        }
        accepted += 1
      }
    })
    await node.app.close()
    await Promise.all(talking)
    const { body } = await other.api('history', backend, { channel: 'kept:room', limit: -1 })
    const { publications } = (body as { result: { publications: unknown[] } }).result
    t.ok(accepted > 0 && publications.length >= accepted, `${accepted} of ${publications.length}`)
    t.match(await other.api('presence_stats', backend, { channel: 'kept:room' }), {
      body: { result: { num_clients: 1 } },
    })
    const admin = auth.issue({ scope: 'admin' })
    t.match(await other.api('channels', admin, {}), {
      body: { result: { channels: { 'kept:room': {}, 'kept:left': undefined } } },
    })
    let left = 0
    while (left < 10) {
      const { push } = (await watcher.next()) as { push?: { leave?: unknown } }
      if (push?.leave !== undefined) {
        left += 1
      }
    }
    t.equal(left, 10, 'announces their leaves')
    watcher.socket.terminate()
  },
)

t.test('refuses an upgrade that waits for auth when closing starts', async (t) => {
  const node = await realtimeNode(t, environment)
  const token = auth.issue()
  const asked = auth.introspected
  let answer = () => {}
  auth.hold = new Promise((resolve) => {
    answer = resolve
  })
  const upgrade = refused(node.wsUrl, { headers: { authorization: `Bearer ${token}` } })
  while (auth.introspected === asked) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  const closing = node.app.close()
  answer()
  auth.hold = undefined
  const { status, headers } = await upgrade
  t.equal(status, 503)
  t.match(headers['retry-after'], /^[1-5]$/)
  await closing
})

t.test('closes within the deadline whatever clients do', async (t) => {
  const node = await realtimeNode(t, {
    ...environment,
    SEND_BUFFER_BYTES: '33554432',
    BYTES_PER_SECOND: '33554432',
  })
  const token = auth.issue()
  const deaf = await connected(node.wsUrl, token)
  await deaf.call({ id: 2, subscribe: { channel: 'much' } })
  const mute = await connected(node.wsUrl, token)
  for (const { socket } of [deaf, mute]) {
    socket.pause()
  }
  const [first] = node.app.websocketServer.clients
  const ours = Reflect.get(first ?? {}, '_socket') as Socket
  const speaker = await connected(node.wsUrl, token)
  const data = 'x'.repeat(60_000)
  for (let id = 2; id < 202; id += 1) {
    await speaker.call({ id, publish: { channel: 'much', data } })
  }

  const asked = auth.introspected
  auth.hold = new Promise(() => {})
  t.teardown(() => {
    auth.hold = undefined
  })
  const undecided = dial(node.wsUrl, auth.issue())
  while (auth.introspected === asked) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  const empty = dialTcp(node.port, '127.0.0.1')
  const half = dialTcp(node.port, '127.0.0.1')
  for (const socket of [empty, half]) {
    socket.on('error', () => undefined)
  }
  await Promise.all([once(empty, 'connect'), once(half, 'connect')])
  half.write('POST /api/publish HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{')
  // The server has read the headers and waits for the body.
  const [request] = await once(node.app.server, 'request')
  t.equal(request.method, 'POST')

  const started = performance.now()
  await node.app.close()
  t.ok(performance.now() - started < 1500, 'the deadline is 500 ms')
  const handed = ours.bytesWritten - ours.writableLength
  const { bytesRead } = await readToEnd(deaf.socket)
  t.ok(
    bytesRead < handed,
    `the kernel sends no more to who is cut: ${bytesRead} of ${handed} bytes`,
  )
  t.equal((await undecided.closed).code, 1006)
  for (const socket of [empty, half]) {
    socket.destroy()
  }
  for (const { socket } of [deaf, mute]) {
    socket.terminate()
  }
})

/** Reads until the end of the connection. */
async function readToEnd(socket: WebSocket): Promise<Socket> {
  const below = Reflect.get(socket, '_socket') as Socket
  const closed = once(socket, 'close')
  socket.resume()
  await closed
  return below
}

t.test(
  'fails /health when another process has taken the node name, so that a supervisor restarts it',
  async (t) => {
    const own = await scriptedAuth(t)
    const node = await realtimeNode(t, { ...environment, AUTH_URL: own.url })
    const status = async (path: string) => (await fetch(`${node.url}${path}`)).status
    t.equal(await status('/health'), 200)
    own.closeFeeds(1001)
    t.equal(await status('/health'), 200, 'a lost feed alone does not fail /health')
    while ((await status('/ready')) !== 200) {}
    own.closeFeeds(4409)
    while ((await status('/ready')) === 200) {}
    const health = await fetch(`${node.url}/health`)
    t.equal(health.status, 503)
    t.match(await health.json(), { status: 'failed', reason: /later process/ })
  },
)
