import { request } from 'node:https'
import { setTimeout } from 'node:timers/promises'
import { startAuth, startInstallation, testRedis } from '@portcullis/local'
import t from 'tap'
import { WebSocket } from 'ws'
import { findProgram } from '../find-program.js'
import { Newcomers } from './newcomers.js'
import { channel, startClients } from './start-clients.js'
import { type ReverseProxy, startProxy } from './start-proxy.js'

for (const program of ['caddy', 'haproxy', 'nginx'] as const) {
  const path = findProgram(program)
  const skip = path === undefined ? `${program} is not installed` : false

  t.test(
    `${program}: clients connect, are refused and are revoked as without a proxy`,
    { skip },
    async (t) => {
      const { auth, realtime, userToken, api } = await startInstallation(t, { realtime: 2 })
      const [first, second] = realtime
      const proxy = await startProxy(t, {
        program,
        path: path ?? '',
        nodes: [first.url, second.url],
        auths: [auth.url, auth.url],
      })
      const ada = await userToken('ada', 'subscribe:* publish:*')
      const [client] = await startClients(t, { proxy, token: ada.access_token, count: 1 })
      const published = await call(proxy, 'POST', '/api/publish', {
        token: (await userToken('backend', 'publish:* server')).access_token,
        body: { channel, data: { n: 1 } },
      })
      t.equal(published.status, 200, 'the server API')
      t.same(await client?.received(1), [{ n: 1 }])
      t.equal(await upgrade(proxy, 'not-a-token'), 401, "the node's refusal reaches the client")
      await call(proxy, 'GET', '/api/info?access_token=in-the-query', { token: 'in-a-header' })
      const revoked = await api('POST', '/v1/revocations', { token: ada.access_token, wait: 5000 })
      t.match(revoked.body, { complete: true, tokens: 1 })
      t.same(await client?.disconnected, { code: 4500, reason: 'token revoked' })
      for (const hidden of ['/ready', '/health', '/metrics', '/docs']) {
        t.equal((await call(proxy, 'GET', hidden)).status, 404, `${hidden} is not public`)
      }
      const plain = await fetch(`${proxy.plainUrl}/api/info?a=b`, { redirect: 'manual' })
      t.equal(plain.status, 308)
      t.match(plain.headers.get('location'), /^https:\/\/127\.0\.0\.1.*\/api\/info\?a=b$/)
      t.match(proxy.log(), '/api/info', 'requests are logged')
      t.notMatch(proxy.log(), /in-the-query|in-a-header|not-a-token/, 'tokens are not')
      t.notMatch(proxy.log(), ada.access_token)
    },
  )

  t.test(`${program}: limits and logs have the client's address`, { skip }, async (t) => {
    const { auth, realtime, api } = await startInstallation(t, {
      realtime: 1,
      env: { TRUST_PROXY: '127.0.0.1', LOG_LEVEL: 'info' },
    })
    const [node] = realtime
    const proxy = await startProxy(t, {
      program,
      path: path ?? '',
      nodes: [node.url, node.url],
      auths: [auth.url, auth.url],
    })
    const forged = { localAddress: '127.0.0.2', headers: { 'x-forwarded-for': '203.0.113.9' } }
    t.equal((await call(proxy, 'GET', '/v1/tokens', { ...forged, token: 'wrong' })).status, 401)
    const audit = await api('GET', '/v1/audit')
    t.match(JSON.stringify(audit.body), /"address":"127\.0\.0\.2"/)
    t.notMatch(JSON.stringify(audit.body), '203.0.113.9')
    t.equal(await upgrade(proxy, 'wrong', forged), 401)
    t.match(node.output(), /"from":"127\.0\.0\.2"/)
    t.notMatch(node.output(), '203.0.113.9')
  })

  t.test(
    `${program}: a restart of each node loses no client and no publication`,
    { skip },
    async (t) => {
      const { auth, realtime, userToken } = await startInstallation(t, {
        realtime: 2,
        env: {
          SHUTDOWN_DELAY_MS: '2000',
          CLOSE_DEADLINE_MS: '1000',
          NAMESPACES: '{"demo":{"historySize":1000,"recovery":true}}',
        },
      })
      const [first, second] = realtime
      const proxy = await startProxy(t, {
        program,
        path: path ?? '',
        nodes: [first.url, second.url],
        auths: [auth.url, auth.url],
      })
      const { access_token: token } = await userToken('ada', 'subscribe:*')
      const clients = await startClients(t, { proxy, token, count: 20 })
      const { access_token: backend } = await userToken('backend', 'publish:* server')
      const newcomers = new Newcomers(proxy, token)
      let published = 0
      let unavailable = 0
      let stopped = false
      const publishing = (async () => {
        while (!stopped) {
          const body = { channel, data: published }
          const { status } = await call(proxy, 'POST', '/api/publish', { token: backend, body })
          if (status === 200) {
            published += 1
          } else if (status === 503) {
            unavailable += 1
          } else {
            throw new Error(`publish: ${status}`)
          }
          await setTimeout(20)
        }
      })()
      for (const node of realtime) {
        t.equal(await node.end(), 'exit code 0')
        await node.restart()
      }
      stopped = true
      await publishing
      await newcomers.stop()
      const connections = clients.reduce((sum, client) => sum + client.connections(), 0)
      t.comment(
        `${published} publications, ${unavailable} calls answered 503, ${newcomers.admitted} newcomers, ${connections} connections of ${clients.length} clients`,
      )
      const all = Array.from({ length: published }, (_, n) => n)
      for (const client of clients) {
        t.same(await client.received(published), all, 'each publication arrives once, in order')
        t.same(client.errors, [], 'each reconnect is admitted at once')
      }
      t.ok(connections >= 2 * clients.length, 'each client was moved to another node')
      t.same(newcomers.failures, [], 'each new client is admitted at once')
      t.ok(newcomers.admitted > 0)
    },
  )

  t.test(
    `${program}: a restart of one of two auths refuses no client for good`,
    { skip },
    async (t) => {
      const redis = await testRedis(t)
      const options = { redisUrl: redis.url, prefix: redis.prefix }
      const first = await startAuth({ ...options, env: { SHUTDOWN_DELAY_MS: '2000' } })
      t.teardown(() => first.stop())
      const second = await startAuth({ ...options, env: first.sharedEnv })
      t.teardown(() => second.stop())
      const proxy = await startProxy(t, {
        program,
        path: path ?? '',
        nodes: [first.url, second.url],
        auths: [first.url, second.url],
      })
      const { identity, registrationCode } = first.admin
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: identity,
        client_secret: registrationCode,
      })
      const answers = new Map<number | undefined, number>()
      let stopped = false
      const asking = (async () => {
        while (!stopped) {
          const { status } = await call(proxy, 'POST', '/oauth/token', { form })
          answers.set(status, (answers.get(status) ?? 0) + 1)
          await setTimeout(20)
        }
      })()
      t.equal(await first.end(), 'exit code 0')
      await first.restart()
      stopped = true
      await asking
      t.comment(`${program}: ${JSON.stringify([...answers])}`)
      // nginx learns from this answer that the instance closes, and does not repeat a POST.
      answers.delete(program === 'nginx' ? 503 : undefined)
      t.same([...answers.keys()], [200], 'every request has a token')
    },
  )
}

interface CallOptions {
  token?: string
  body?: object
  form?: URLSearchParams
  localAddress?: string
  headers?: Readonly<Record<string, string>>
}

/** Sends a request through the proxy. */
function call(
  { url, ca }: ReverseProxy,
  method: string,
  path: string,
  { token, body, form, localAddress, headers }: CallOptions = {},
): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, {
      method,
      ca,
      ...(localAddress === undefined ? {} : { localAddress }),
      headers: {
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
    })
    sent.once('error', reject)
    sent.once('response', async (response) => {
      let text = ''
      for await (const chunk of response) {
        text += chunk
      }
      resolve({ status: response.statusCode, text })
    })
    sent.end(form?.toString() ?? (body === undefined ? undefined : JSON.stringify(body)))
  })
}

/** Tries to open a WebSocket. Resolves with the status of the response. */
function upgrade(
  { wsUrl, ca }: ReverseProxy,
  token: string,
  options: CallOptions = {},
): Promise<number> {
  const { localAddress, headers } = options
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(wsUrl, {
      ca,
      ...(localAddress === undefined ? {} : { localAddress }),
      headers: { ...headers, authorization: `Bearer ${token}` },
    })
    socket.once('error', reject)
    socket.once('unexpected-response', (sent, response) => {
      sent.destroy()
      resolve(response.statusCode ?? 0)
    })
    socket.once('open', () => {
      socket.terminate()
      resolve(101)
    })
  })
}
