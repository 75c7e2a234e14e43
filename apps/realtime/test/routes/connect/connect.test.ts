import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { connected, dial, Peer, refused } from '../../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'
import { expiredToken } from '../../fixtures/unsigned-token.js'

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  ALLOWED_ORIGINS: 'https://app.example,https://two.example:8443',
})
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

t.test('lets a client with a valid token connect, publish and receive', async (t) => {
  const peer = dial(node.wsUrl, auth.issue())
  await once(peer.socket, 'open')
  const hello = await peer.call({ id: 1, connect: { name: 'test' } })
  t.match(hello, {
    connect: { version: /^Portcullis \d/, expires: true, ping: 25, pong: true, client: /^.{36}$/ },
  })
  t.same(await peer.call({ id: 2, subscribe: { channel: 'news' } }), { id: 2, subscribe: {} })
  peer.send({ id: 3, publish: { channel: 'news', data: { text: 'hi' } } })
  const both = [await peer.next(), await peer.next()]
  t.match(
    both.find((message) => 'push' in message),
    { push: { channel: 'news', pub: { data: { text: 'hi' }, info: { user: 'ada' } } } },
  )
  t.same(
    both.find((message) => 'id' in message),
    { id: 3, publish: {} },
  )
})

t.test('refuses an upgrade without a valid token', async (t) => {
  const missing = await refused(node.wsUrl)
  t.equal(missing.status, 401)
  t.match(missing.headers['www-authenticate'], /^Bearer/)
  const unknown = await refused(node.wsUrl, bearer('unknown'))
  t.equal(unknown.status, 401)
  t.match(unknown.headers['www-authenticate'], /error="invalid_token"/)
  const query = await refused(`${node.wsUrl}?access_token=${auth.issue()}`)
  t.equal(query.status, 401, 'ignores a token in the query by default')
})

t.test('tells a page whether its origin may connect, in reply to a plain request', async (t) => {
  const ask = (origin: string) => fetch(node.wsUrl.replace('ws', 'http'), { headers: { origin } })
  const refused = await ask('https://evil.example')
  t.equal(refused.status, 403)
  t.match(await refused.json(), { code: 'origin_not_allowed', detail: /ALLOWED_ORIGINS/ })
  const accepted = await ask('https://app.example')
  t.equal(accepted.status, 426)
  for (const { headers } of [refused, accepted]) {
    t.equal(headers.get('access-control-allow-origin'), '*', 'the page may read it')
  }
})

t.test('compares origins as a whole', async (t) => {
  const token = auth.issue()
  const from = (origin: string) => ({ headers: { ...bearer(token).headers, origin } })
  const asked = auth.introspected
  for (const origin of [
    'null',
    'https://app.example.evil.example',
    'https://evil-app.example',
    'https://app.example:444',
    'http://app.example',
    'https://APP.example',
    'https://app.example/',
    'https://two.example',
    `http://127.0.0.1:${node.port}`,
    '',
  ]) {
    const { status, body } = await refused(node.wsUrl, from(origin))
    t.equal(status, 403, `origin ${JSON.stringify(origin)}`)
    t.match(body, 'origin_not_allowed')
  }
  t.equal(auth.introspected, asked, 'does not introspect for a wrong origin')
  for (const origin of ['https://app.example', 'https://two.example:8443']) {
    const peer = dial(node.wsUrl, token, { headers: { origin } })
    await once(peer.socket, 'open')
    t.pass(`origin ${origin} is let in`)
    peer.socket.terminate()
  }
})

t.test('accepts the token as a subprotocol and never returns it', async (t) => {
  const token = auth.issue()
  const socket = new WebSocket(node.wsUrl, ['portcullis', `bearer.${token}`])
  const opened = once(socket, 'open')
  const [response] = await once(socket, 'upgrade')
  t.equal(response.headers['sec-websocket-protocol'], 'portcullis')
  t.notMatch(JSON.stringify(response.rawHeaders), token)
  const peer = new Peer(socket)
  await opened
  t.match(await peer.call({ id: 1, connect: { token } }), { connect: { expires: true } })
  socket.terminate()

  const alone = await refused(node.wsUrl, { protocols: [`bearer.${token}`] })
  t.equal(alone.status, 400, 'without the subprotocol portcullis')
  t.notMatch(alone.body + JSON.stringify(alone.headers), token)
})

t.test('selects the Protobuf subprotocol when offered, and never the token', async (t) => {
  const token = auth.issue()
  for (const offered of [
    ['centrifuge-protobuf'],
    ['portcullis', `bearer.${token}`, 'centrifuge-protobuf'],
    ['centrifuge-protobuf', `bearer.${token}`, 'portcullis'],
  ]) {
    const options = offered.length === 1 ? bearer(token) : {}
    const socket = new WebSocket(node.wsUrl, offered, options)
    const opened = once(socket, 'open')
    const [response] = await once(socket, 'upgrade')
    t.equal(response.headers['sec-websocket-protocol'], 'centrifuge-protobuf')
    t.notMatch(JSON.stringify(response.rawHeaders), token)
    await opened
    socket.send('{}')
    const [code] = await once(socket, 'close')
    t.equal(code, 3506, 'text frames are not allowed')
  }
})

t.test('does not negotiate compression', async (t) => {
  const socket = new WebSocket(node.wsUrl, { perMessageDeflate: true, ...bearer(auth.issue()) })
  const [response] = await once(socket, 'upgrade')
  t.equal(response.headers['sec-websocket-extensions'], undefined)
  socket.terminate()
})

t.test('replies 426 to a request without an upgrade', async (t) => {
  const answer = await fetch(node.wsUrl.replace('ws:', 'http:'))
  t.equal(answer.status, 426)
  t.match(await answer.json(), { code: 'upgrade_required' })
})

t.test('switches the connection to a token in the connect command', async (t) => {
  const [first, second] = [auth.issue(), auth.issue()]
  const peer = dial(node.wsUrl, first)
  await once(peer.socket, 'open')
  peer.send({ id: 1, connect: { token: second } }, { id: 2, subscribe: { channel: 'news' } })
  t.match(await peer.next(), { id: 1, connect: {} })
  t.match(await peer.next(), { id: 2, subscribe: {} }, 'runs the commands after it')
  await auth.revoke({ token: first })
  t.match(await peer.call({ id: 3, unsubscribe: { channel: 'news' } }), { id: 3, unsubscribe: {} })
  await auth.revoke({ token: second })
  t.same(await peer.closed, { code: 4500, reason: 'token revoked' })
})

t.test('rejects a connect token of another subject or an inactive one', async (t) => {
  const stale = dial(node.wsUrl, auth.issue())
  await once(stale.socket, 'open')
  t.match(await stale.call({ id: 1, connect: { token: expiredToken } }), { error: { code: 109 } })
  const unknown = dial(node.wsUrl, auth.issue())
  await once(unknown.socket, 'open')
  unknown.send({ id: 1, connect: { token: 'unknown' } })
  t.same(await unknown.closed, { code: 3500, reason: 'invalid token' })
  const foreign = dial(node.wsUrl, auth.issue())
  await once(foreign.socket, 'open')
  foreign.send({ id: 1, connect: { token: auth.issue({ subject: 'eve' }) } })
  t.same(await foreign.closed, { code: 3500, reason: 'invalid token' })
})

t.test('closes the sockets of a revoked token and refuses it afterwards', async (t) => {
  const token = auth.issue()
  const [one, two] = [await connected(node.wsUrl, token), await connected(node.wsUrl, token)]
  const other = await connected(node.wsUrl, auth.issue())
  await auth.revoke({ token })
  t.same(await one.closed, { code: 4500, reason: 'token revoked' })
  t.same(await two.closed, { code: 4500, reason: 'token revoked' })
  t.equal((await refused(node.wsUrl, bearer(token))).status, 401)
  t.match(await other.call({ id: 5, publish: { channel: 'a', data: 1 } }), { id: 5, publish: {} })
})

t.test('closes the socket of an expired token with a code for reconnecting', async (t) => {
  const peer = await connected(node.wsUrl, auth.issue({ ttlSeconds: 2 }))
  t.same(await peer.closed, { code: 3005, reason: 'connection expired' })
})

t.test('keeps the socket beyond the old token after a refresh', async (t) => {
  const [first, second] = [auth.issue(), auth.issue({ scope: 'subscribe:b' })]
  const peer = await connected(node.wsUrl, first)
  await peer.call({ id: 2, subscribe: { channel: 'a' } })
  await peer.call({ id: 3, subscribe: { channel: 'b' } })
  t.match(await peer.call({ id: 4, refresh: { token: second } }), { refresh: { expires: true } })
  t.same(await peer.next(), {
    push: { channel: 'a', unsubscribe: { code: 2000, reason: 'server unsubscribe' } },
  })
  await auth.revoke({ token: first })
  t.match(await peer.call({ id: 5, unsubscribe: { channel: 'b' } }), { id: 5, unsubscribe: {} })
  await auth.revoke({ token: second })
  t.equal((await peer.closed).code, 4500)
})
