import { once } from 'node:events'
import t from 'tap'
import { connected } from '../../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  REFUSALS_PER_MINUTE: '1000',
})
const backend = auth.issue({ subject: 'shop', scope: 'publish:news nodes:read' })

/** Sends a body as older HTTP clients do. */
const post = (body: string, token = backend) =>
  fetch(`${node.url}/api`, {
    method: 'POST',
    headers: { authorization: `apikey ${token}`, 'content-type': 'application/json' },
    body,
  })

/** Returns the lines of an answer. */
async function lines(answer: Response): Promise<unknown[]> {
  t.equal(answer.status, 200)
  const text = await answer.text()
  t.ok(text.endsWith('\n'))
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

t.test('runs a command for each line, and answers in order', async (t) => {
  const peer = await connected(node.wsUrl, auth.issue())
  await peer.call({ id: 2, subscribe: { channel: 'news' } })
  const heard = once(peer.socket, 'message')
  const answer = await post(
    [
      '{"method":"publish","params":{"channel":"news","data":{"id":9223372036854775807}}}',
      '{"method":"publish","params":{"channel":"other","data":1}}',
      '{"method":"publish","params":{"channel":"news"}}',
      '{"method":"nothing","params":{}}',
      '',
      '{"method":"info"}',
    ].join('\n'),
  )
  t.match(await lines(answer), [
    { result: {} },
    { error: { code: 103 } },
    { error: { code: 107 } },
    { error: { code: 104 } },
    { result: { nodes: [{}] } },
  ])
  t.match(String(await heard), /9223372036854775807/, 'data arrives unchanged')
})

t.test("understands gocent's disconnect, with options and without", async (t) => {
  const token = auth.issue({ subject: 'shop', scope: 'tokens:revoke' })
  const peers = await Promise.all(
    ['ada', 'bob'].map((subject) =>
      connected(node.wsUrl, auth.issue({ identity: 'shop', subject })),
    ),
  )
  const answer = await post(
    [
      '{"method":"disconnect","params":{"user":"ada","Disconnect":null,"ClientWhitelist":null}}',
      '{"method":"disconnect","params":{"user":"bob","Disconnect":{"code":4501,"reason":"away","reconnect":false},"ClientWhitelist":["other"]}}',
      '{"method":"disconnect","params":{"user":"bob","Unknown":true}}',
    ].join('\n'),
    token,
  )
  t.match(await lines(answer), [{ result: {} }, { result: {} }, { error: { code: 107 } }])
  const closed = await Promise.all(peers.map((peer) => peer.closed))
  t.same(closed, [
    { code: 3503, reason: 'force disconnect' },
    { code: 4501, reason: 'away' },
  ])
})

t.test('refuses what is not such a body, and says what to send', async (t) => {
  for (const body of ['', '\n', '[]', '1', 'x', '{"channel":"news","data":1}', '{"method":1}']) {
    const answer = await post(body)
    t.equal(answer.status, 400, body)
    t.match(await answer.json(), { code: 'bad_request', detail: /line/ })
  }
  const line = '{"method":"info"}\n'
  t.equal((await post(line.repeat(1001))).status, 400)
  t.equal((await post(line, 'unknown')).status, 401)
  const user = auth.issue({ identity: 'shop', subject: 'ada', scope: 'publish:news' })
  t.equal((await post(line, user)).status, 403, 'a token of a user is no server')
})

t.test('does nothing for a revoked token', async (t) => {
  const token = auth.issue({ subject: 'shop', scope: 'publish:news' })
  const publish = '{"method":"publish","params":{"channel":"news","data":1}}'
  t.match(await lines(await post(publish, token)), [{ result: {} }])
  await auth.revoke({ token })
  t.equal((await post(publish, token)).status, 401)
})
