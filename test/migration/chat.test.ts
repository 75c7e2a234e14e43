import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startInstallation } from '@portcullis/local'
import { Centrifuge } from 'centrifuge'
import t from 'tap'
import { WebSocket } from 'ws'

// The chat of docs/migrate-from-centrifugo.md, after the move. What it expects was recorded from the same
// program at Centrifugo 6.9.1: only the token's issuer and the API key differ.

const channel = 'chat:room'

t.test('a chat behaves as it did at Centrifugo', async (t) => {
  const { realtime, identityClient } = await startInstallation(t, {
    realtime: 2,
    env: {
      ADMISSION: 'connect',
      NAMESPACES_STRICT: 'true',
      NAMESPACES: JSON.stringify({
        chat: {
          historySize: 10,
          historyTtlSeconds: 300,
          recovery: true,
          presence: true,
          joinLeave: true,
          forcePushJoinLeave: true,
        },
      }),
    },
  })
  const [one, two] = realtime
  const scopes = ['subscribe', 'publish', 'presence', 'history'].map((action) => `${action}:chat:*`)
  const more = ['tokens:issue', 'tokens:revoke', 'nodes:read', 'publish:*']
  const backend = await identityClient('chat', [...more, ...scopes])
  const key = await backend.accessToken()
  const call = async (method: string, body: object) => {
    const answer = await fetch(`${two.url}/api/${method}`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return answer.json()
  }

  // The backend's endpoint, which signed an HS256 token before.
  const server = createServer(async (request, response) => {
    const subject = new URL(request.url ?? '', 'http://chat').searchParams.get('user') ?? ''
    const order = { subject, scope: scopes.join(' '), ttlSeconds: 600 }
    const { body } = await backend.api('POST', '/v1/tokens', order)
    response.end(JSON.stringify({ token: body.access_token }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo

  const open = async (user: string) => {
    const client = new Centrifuge(one.wsUrl, {
      websocket: WebSocket,
      minReconnectDelay: 10,
      getToken: async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/token?user=${user}`)
        return ((await answer.json()) as { token: string }).token
      },
    })
    t.teardown(() => client.disconnect())
    client.connect()
    await client.ready()
    return client
  }
  const [ada, bob] = [await open('ada'), await open('bob')]
  const log: unknown[] = []
  const room = ada.newSubscription(channel)
  room.on('publication', ({ data, info }) => log.push([data, info?.user ?? 'backend']))
  room.on('join', ({ info }) => log.push(['join', info.user]))
  room.on('leave', ({ info }) => log.push(['leave', info.user]))
  const next = (event: 'subscribed' | 'publication' | 'join' | 'leave') =>
    new Promise<unknown>((resolve) => room.once(event, resolve))

  const subscribed = next('subscribed')
  const joined = next('join')
  room.subscribe()
  t.match(await subscribed, { recoverable: true, positioned: true })
  await joined
  const entered = next('join')
  const bobs = bob.newSubscription(channel)
  bobs.subscribe()
  await entered
  for (const publish of [
    () => bobs.publish('hi'),
    () => call('publish', { channel, data: 'from the backend' }),
    () => call('broadcast', { channels: [channel], data: 'to all' }),
  ]) {
    const heard = next('publication')
    await publish()
    await heard
  }
  const presence = (await call('presence', { channel })) as { result: { presence: object } }
  const users = Object.values(presence.result.presence).map(({ user }) => user)
  t.same(users.sort(), ['ada', 'bob'])
  t.same(await call('presence_stats', { channel }), { result: { num_clients: 2, num_users: 2 } })
  t.same(await call('channels', {}), { result: { channels: { [channel]: { num_clients: 2 } } } })
  t.match(await call('history', { channel, limit: 10 }), {
    result: { publications: [{ data: 'hi' }, { data: 'from the backend' }, { data: 'to all' }] },
  })
  t.equal((await room.history({ limit: 2 })).publications.length, 2)
  t.equal((await room.presenceStats()).numUsers, 2)

  const recovered = next('publication')
  Reflect.get(Reflect.get(ada, '_transport'), '_transport').terminate()
  await call('publish', { channel, data: 'while ada is away' })
  await recovered
  t.same(await call('publish', { channel: 'nothing:x', data: 1 }), {
    error: { code: 102, message: 'unknown channel' },
  })
  const stopped = new Promise((resolve) => bob.once('disconnected', resolve))
  const left = next('leave')
  t.same(await call('disconnect', { user: 'bob' }), { result: {} })
  t.match(await stopped, { code: 3503, reason: 'force disconnect' })
  await left
  t.same(
    log.filter((each) => !Array.isArray(each) || each[0] !== 'leave' || each[1] !== 'ada'),
    [
      ['join', 'ada'],
      ['join', 'bob'],
      ['hi', 'bob'],
      ['from the backend', 'backend'],
      ['to all', 'backend'],
      ['while ada is away', 'backend'],
      ['join', 'ada'],
      ['leave', 'bob'],
    ],
  )
})
