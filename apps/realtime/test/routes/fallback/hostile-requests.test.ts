import { once } from 'node:events'
import { connect as dialTcp } from 'node:net'
import t from 'tap'
import { connectFrame, emulate, jsonType, Lines, rawStream } from '../../fixtures/raw-stream.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  FALLBACK_TRANSPORTS: 'http_stream,sse',
  MAX_CHANNELS: '1',
  MAX_FRAME_BYTES: '4096',
}
const node = await realtimeNode(t, environment)
const other = await realtimeNode(t, environment)
const streamUrl = `${node.url}/connection/http_stream`
const post = (url: string, body: string, headers: Record<string, string> = jsonType) =>
  fetch(url, { method: 'POST', headers, body })

t.test('an unknown session gets 404, at each node', async (t) => {
  const { session, node: address, client } = await rawStream(t, node, auth.issue())
  for (const at of [node, other]) {
    for (const unknown of [
      { session: 'unknown', node: address },
      { session: client, node: address },
      { session, node: 'unknown' },
      { session, node: client },
    ]) {
      const answer = await emulate(at, unknown, { id: 2, publish: { channel: 'a', data: 1 } })
      t.equal(answer.status, 404)
      t.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
      t.match(await answer.json(), { code: 'unknown_session', status: 404 })
    }
  }
  t.equal(await node.metric('portcullis_realtime_published_total'), 0)
})

t.test('a session is a secret of its own, with 192 random bits', async (t) => {
  const streams = await Promise.all(
    [auth.issue(), auth.issue()].map((each) => rawStream(t, node, each)),
  )
  for (const { session, client } of streams) {
    t.match(session, /^[\w-]{32}$/)
    t.not(session, client, 'others see the id of the client')
  }
  t.not(streams[0]?.session, streams[1]?.session)
})

t.test('a session ends with its stream', async (t) => {
  const stream = await rawStream(t, node, auth.issue())
  t.equal((await emulate(other, stream, { id: 2, publish: { channel: 'a', data: 1 } })).status, 204)
  t.same(await stream.lines.next(), { id: 2, publish: {} })
  t.equal((await emulate(node, stream, 'no command')).status, 204)
  t.match(await stream.lines.next(), { push: { disconnect: { code: 3501 } } })
  t.equal(await stream.lines.next(), undefined)
  await ended(stream)
  t.equal((await emulate(node, stream, {})).status, 404)
  t.equal((await emulate(other, stream, {})).status, 404)
})

/** Resolves when the node has noticed the end of the stream. */
async function ended(stream: Parameters<typeof emulate>[1]): Promise<void> {
  while ((await emulate(node, stream, {})).status === 204) {
    await new Promise(setImmediate)
  }
}

t.test('refuses malformed and oversized bodies', async (t) => {
  const stream = await rawStream(t, node, auth.issue())
  const good = { session: stream.session, node: stream.node, data: '{}' }
  const emulation = `${node.url}/emulation`
  for (const body of [
    '{',
    '[]',
    'null',
    JSON.stringify({ ...good, data: 1 }),
    JSON.stringify({ ...good, session: 1 }),
    JSON.stringify({ ...good, session: '' }),
    JSON.stringify({ ...good, node: 'n'.repeat(65) }),
    JSON.stringify({ session: stream.session, data: '{}' }),
  ]) {
    t.equal((await post(emulation, body)).status, 400, body)
  }
  t.equal((await post(emulation, '')).status, 400)
  const protobuf = { 'content-type': 'application/octet-stream' }
  t.equal((await post(emulation, JSON.stringify(good), protobuf)).status, 400)
  t.equal(
    (await post(emulation, JSON.stringify(good), { 'content-type': 'text/plain' })).status,
    415,
  )
  const tooLong = JSON.stringify({ ...good, data: ' '.repeat(4097) })
  t.equal((await post(emulation, tooLong)).status, 413)
  t.equal((await post(emulation, ' '.repeat(20_000))).status, 413)
  t.equal((await post(streamUrl, ' '.repeat(4097))).status, 413)
  t.equal((await post(streamUrl, '')).status, 400)
  t.equal((await fetch(`${node.url}/connection/sse`)).status, 400)
  t.equal((await fetch(`${node.url}/connection/sse?cf_connect=a&cf_connect=b`)).status, 400)
  t.equal((await fetch(streamUrl)).status, 404, 'only POST')
  t.equal((await emulate(node, stream, { id: 2, publish: { channel: 'a', data: 1 } })).status, 204)
  t.same(await stream.lines.next(), { id: 2, publish: {} }, 'the stream still works')
})

t.test('a stream without a connect command with a token ends with 3501', async (t) => {
  const before = auth.introspected
  for (const body of [
    JSON.stringify({ id: 1, connect: {} }),
    JSON.stringify({ id: 1, publish: { channel: 'a', data: 1 } }),
    '{}',
    'garbage',
  ]) {
    const lines = new Lines(await post(streamUrl, body))
    t.match(await lines.next(), { push: { disconnect: { code: 3501 } } }, body)
    t.equal(await lines.next(), undefined)
  }
  t.equal(auth.introspected, before)
  const sse = await fetch(`${node.url}/connection/sse?cf_connect=garbage`)
  t.equal(
    await sse.text(),
    'data: {"push":{"disconnect":{"code":3501,"reason":"bad request"}}}\n\n',
  )
})

t.test('commands in the other form end the stream with 3506', async (t) => {
  const { session, node: address, lines } = await rawStream(t, node, auth.issue())
  const field = (id: number, text: string) =>
    Buffer.concat([Buffer.of(id * 8 + 2, text.length), Buffer.from(text)])
  const body = Buffer.concat([field(1, address), field(2, session), field(3, '{}')])
  const answer = await fetch(`${node.url}/emulation`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body,
  })
  t.equal(answer.status, 204)
  t.match(await lines.next(), { push: { disconnect: { code: 3506 } } })
})

t.test('a token in the header is checked as at an upgrade', async (t) => {
  const token = auth.issue()
  const headers = { ...jsonType, authorization: `Bearer ${token}` }
  const lines = new Lines(await post(streamUrl, JSON.stringify({ id: 1, connect: {} }), headers))
  t.match(await lines.next(), { id: 1, connect: { expires: true } })
  await auth.revoke({ token })
  t.match(await lines.next(), { push: { disconnect: { code: 4500 } } })
  const refused = await post(streamUrl, connectFrame(auth.issue()), headers)
  t.equal(refused.status, 401)
  t.match(refused.headers.get('www-authenticate'), /invalid_token/)
})

t.test('a request behind another one on its connection opens no stream', async (t) => {
  const body = connectFrame(auth.issue())
  const request = [
    'POST /connection/http_stream HTTP/1.1',
    'Host: a',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
  const alone = await realtimeNode(t, environment)
  const before = auth.introspected
  const socket = dialTcp(alone.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(request.repeat(20))
  const [head] = await once(socket, 'data')
  t.match(String(head), /^HTTP\/1\.1 200 /)
  t.equal(await alone.metric('portcullis_realtime_connections'), 1)
  t.equal(auth.introspected, before + 1, 'auth is asked once')
})

t.test('the response is not stored, compressed or collected on the way', async (t) => {
  const { answer } = await rawStream(t, node, auth.issue(), { 'accept-encoding': 'gzip' })
  t.equal(answer.status, 200)
  const expected = {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    'content-encoding': null,
  }
  for (const [name, value] of Object.entries(expected)) {
    t.equal(answer.headers.get(name), value, name)
  }
  const sse = await fetch(`${node.url}/connection/sse?cf_connect=garbage`)
  t.equal(sse.headers.get('content-type'), 'text/event-stream')
})

t.test('only the chosen transports are there, http_stream alone by default', async (t) => {
  const { FALLBACK_TRANSPORTS: _, ...defaults } = environment
  const byDefault = await realtimeNode(t, defaults)
  const none = await realtimeNode(t, { ...defaults, FALLBACK_TRANSPORTS: 'none' })
  const addresses = ['/connection/http_stream', '/emulation']
  for (const address of addresses) {
    t.equal(
      (await post(`${byDefault.url}${address}`, '[]')).status,
      address === '/emulation' ? 400 : 200,
      address,
    )
    t.equal((await post(`${none.url}${address}`, '[]')).status, 404, address)
  }
  t.equal((await fetch(`${byDefault.url}/connection/sse?cf_connect=a`)).status, 404)
})
