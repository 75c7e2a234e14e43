import t from 'tap'
import { connectFrame, emulate, jsonType, rawStream } from '../../fixtures/raw-stream.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const origin = 'https://app.example'
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  FALLBACK_TRANSPORTS: 'http_stream,sse',
  ALLOWED_ORIGINS: origin,
})
const paths = ['/connection/http_stream', '/emulation']

const preflight = (path: string, from: string) =>
  fetch(`${node.url}${path}`, {
    method: 'OPTIONS',
    headers: {
      origin: from,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    },
  })

t.test('a page of an allowed origin may send requests and read the answers', async (t) => {
  for (const path of paths) {
    const { status, headers } = await preflight(path, origin)
    t.equal(status, 204)
    t.equal(headers.get('access-control-allow-origin'), origin)
    t.equal(headers.get('access-control-allow-methods'), 'POST')
    t.equal(headers.get('access-control-allow-headers'), 'authorization, content-type')
    t.equal(headers.get('access-control-allow-credentials'), null)
    t.match(headers.get('vary'), /origin/)
  }
  const stream = await rawStream(t, node, auth.issue(), { origin })
  const answers = [
    stream.answer,
    await emulate(node, stream, {}, { origin }),
    await emulate(node, { session: 'unknown', node: stream.node }, {}, { origin }),
    await fetch(`${node.url}/connection/sse?cf_connect=garbage`, { headers: { origin } }),
  ]
  for (const { headers, url } of answers) {
    t.equal(headers.get('access-control-allow-origin'), origin, url)
  }
})

t.test(
  'a page of another origin gets 403, which it may read, and no preflight succeeds',
  async (t) => {
    const stream = await rawStream(t, node, auth.issue())
    const before = auth.introspected
    for (const foreign of ['https://evil.example', 'null', `${origin}.evil.example`]) {
      const headers = { ...jsonType, origin: foreign }
      const answers = [
        ...(await Promise.all(paths.map((path) => preflight(path, foreign)))),
        await fetch(`${node.url}/connection/http_stream`, {
          method: 'POST',
          headers,
          body: connectFrame(auth.issue()),
        }),
        await emulate(node, stream, { id: 2, publish: { channel: 'a', data: 1 } }, headers),
        await fetch(
          `${node.url}/connection/sse?cf_connect=${encodeURIComponent(connectFrame(auth.issue()))}`,
          { headers },
        ),
      ]
      for (const { status, headers, url } of answers) {
        t.equal(status, 403, url)
        t.equal(headers.get('access-control-allow-origin'), '*', url)
      }
    }
    t.equal(auth.introspected, before, 'auth was not asked')
    t.equal(await node.metric('portcullis_realtime_published_total'), 0)
  },
)
