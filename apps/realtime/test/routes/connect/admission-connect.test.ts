import { once } from 'node:events'
import t from 'tap'
import { connected, dial, refused } from '../../fixtures/dial.js'
import { frame, opcodes, RawSocket, upgradeRequest } from '../../fixtures/raw-socket.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'
import { expiredToken, unsignedToken } from '../../fixtures/unsigned-token.js'

const auth = await scriptedAuth(t)
const environment = {
  AUTH_URL: auth.url,
  ADMISSION: 'connect',
  MAX_UNAUTHENTICATED: '2',
  CONNECT_DEADLINE_MS: '400',
}
const node = await realtimeNode(t, { ...environment, REDIS_PREFIX: randomPrefix() })

/** Opens a socket without a token on the upgrade. */
async function guest() {
  const peer = dial(node.wsUrl)
  await once(peer.socket, 'open')
  return peer
}

t.test('accepts a token in the first command and runs the commands after it', async (t) => {
  const peer = await guest()
  peer.send({ id: 1, connect: { token: auth.issue() } })
  peer.send({ id: 2, subscribe: { channel: 'news' } })
  t.match(await peer.next(), { id: 1, connect: { expires: true } })
  t.same(await peer.next(), { id: 2, subscribe: {} })
  t.equal(await node.metric('portcullis_realtime_unauthenticated'), 0)
  peer.socket.terminate()
})

t.test('checks a token on the upgrade', async (t) => {
  const peer = await connected(node.wsUrl, auth.issue())
  peer.socket.terminate()
  const { status } = await refused(node.wsUrl, { headers: { authorization: 'Bearer unknown' } })
  t.equal(status, 401)
})

t.test('an expired token gets 109, and others that are not active stop the client', async (t) => {
  const peer = await guest()
  t.match(await peer.call({ id: 1, connect: { token: expiredToken } }), { error: { code: 109 } })
  t.match(await peer.closed, { code: 3005 })
  const revoked = auth.issue()
  await auth.revoke({ token: revoked })
  for (const token of [revoked, 'unknown', unsignedToken(Date.now() / 1000 + 3600)]) {
    const hopeless = await guest()
    hopeless.send({ id: 1, connect: { token } })
    t.match(await hopeless.closed, { code: 3500, reason: 'invalid token' }, token)
    t.same(hopeless.frames, [])
  }
})

t.test('closes a socket whose first message is not a connect with a token', async (t) => {
  for (const first of [
    JSON.stringify({ id: 1, connect: {} }),
    JSON.stringify({ id: 1, subscribe: { channel: 'news' } }),
    '{}',
    'garbage',
    JSON.stringify({ id: 1, connect: { token: 'x'.repeat(9000) } }),
  ]) {
    const peer = await guest()
    peer.socket.send(first)
    t.match(await peer.closed, { code: 3501 }, first.slice(0, 40))
    t.same(peer.frames, [], 'sends no message')
  }
  const binary = await guest()
  binary.socket.send(Buffer.from([1]))
  t.match(await binary.closed, { code: 3506 })
})

t.test('bounds the time and the number of sockets without a token', async (t) => {
  const [one, two] = [await guest(), await guest()]
  const full = await refused(node.wsUrl)
  t.equal(full.status, 503)
  t.match(full.headers['retry-after'], /^[1-5]$/)
  const admitted = await connected(node.wsUrl, auth.issue())
  t.match(await one.closed, { code: 3502 })
  t.match(await two.closed, { code: 3502 })
  admitted.socket.terminate()
})

t.test('cuts off a guest whose first message is long and does not end', async (t) => {
  const patient = await realtimeNode(t, {
    ...environment,
    REDIS_PREFIX: randomPrefix(),
    CONNECT_DEADLINE_MS: '60000',
  })
  const raw = await RawSocket.dial(t, patient.port)
  const upgrade = upgradeRequest(patient.port, '').replace('Authorization: Bearer \r\n', '')
  raw.send(Buffer.from(upgrade))
  t.match(await raw.head(), /^HTTP\/1\.1 101 /)
  const message = frame(opcodes.text, 'x'.repeat(200_000))
  raw.send(message.subarray(0, 20_000))
  await once(raw.socket, 'close')
  t.equal(await patient.metric('portcullis_realtime_unauthenticated'), 0)
})

t.test('closes the connection when the token is revoked', async (t) => {
  const peer = await guest()
  const token = auth.issue()
  await peer.call({ id: 1, connect: { token } })
  await auth.revoke({ token })
  t.match(await peer.closed, { code: 4500 })
})

t.test('refuses upgrades without a token by default', async (t) => {
  const strict = await realtimeNode(t, { AUTH_URL: auth.url, REDIS_PREFIX: randomPrefix() })
  t.equal((await refused(strict.wsUrl)).status, 401)
})
