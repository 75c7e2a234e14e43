import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { connected, dial, refused } from '../../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

// mercurius CVE-2026-30241: a limit on HTTP was missing on WebSocket. These tests check both.

const auth = await scriptedAuth(t)
const node = (environment: Record<string, string>) =>
  realtimeNode(t, { AUTH_URL: auth.url, REDIS_PREFIX: randomPrefix(), ...environment })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

t.test('limits the rate of commands on a socket and on HTTP', async (t) => {
  const slow = await node({
    COMMANDS_PER_SECOND: '1',
    API_COMMANDS_PER_SECOND: '1',
    RATE_BURST_SECONDS: '10',
    MAX_CHANNELS: '8',
  })
  const peer = await connected(slow.wsUrl, auth.issue())
  for (let id = 2; id <= 16; id += 1) {
    peer.send({ id, publish: { channel: 'a', data: id } })
  }
  const replies = []
  while (replies.length < 15) {
    replies.push(await peer.next())
  }
  const refusals = replies.filter((reply) => 'error' in reply)
  t.ok(refusals.length > 0 && refusals.length <= 6, `${refusals.length} commands were refused`)
  t.match(refusals[0], { error: { code: 111, message: 'too many requests', temporary: true } })
  t.equal(await slow.metric('portcullis_realtime_published_total'), 15 - refusals.length)

  const backend = () => auth.issue({ identity: 'shop', subject: 'shop' })
  const token = backend()
  const statuses = []
  for (let sent = 0; sent < 11; sent += 1) {
    const { status } = await slow.api('publish', token, { channel: 'a', data: 1 })
    statuses.push(status)
  }
  t.same(statuses, [...Array.from({ length: 10 }, () => 200), 429])
  const again = await fetch(`${slow.url}/api/publish`, {
    method: 'POST',
    headers: { ...bearer(backend()), 'content-type': 'application/json' },
    body: '{"channel":"a","data":1}',
  })
  t.equal(again.status, 429, 'another token of the same identity')
  t.match(again.headers.get('retry-after'), /^([1-9]|10)$/)
  t.match(await again.json(), { status: 429, code: 'too_many_requests' })
  const other = auth.issue({ identity: 'other', subject: 'other' })
  t.equal((await slow.api('publish', other, { channel: 'a', data: 1 })).status, 200)
  const metrics = await (await fetch(`${slow.url}/metrics`)).text()
  t.match(metrics, `portcullis_realtime_limited_total{what="commands"} ${refusals.length}`)
  t.match(metrics, 'portcullis_realtime_limited_total{what="requests"} 2')
})

t.test('closes a flooding client, which may reconnect', async (t) => {
  const slow = await node({ COMMANDS_PER_SECOND: '20', RATE_BURST_SECONDS: '7' })
  const token = auth.issue()
  const bystander = await connected(slow.wsUrl, token)
  const peer = await connected(slow.wsUrl, token)
  for (let id = 2; id < 400; id += 1) {
    peer.send({ id, rpc: {} })
  }
  t.same(await peer.closed, { code: 3013, reason: 'too many requests' })
  t.match(await bystander.call({ id: 2, publish: { channel: 'a', data: 1 } }), { publish: {} })
  await connected(slow.wsUrl, token)
})

t.test('limits bytes', async (t) => {
  const slow = await node({ BYTES_PER_SECOND: '1024', RATE_BURST_SECONDS: '60' })
  const peer = await connected(slow.wsUrl, auth.issue())
  const data = 'x'.repeat(40_000)
  t.match(await peer.call({ id: 2, publish: { channel: 'a', data } }), { publish: {} })
  t.match(await peer.call({ id: 3, publish: { channel: 'a', data } }), { publish: {} })
  t.match(await peer.call({ id: 4, publish: { channel: 'a', data } }), { error: { code: 111 } })
  peer.send({ id: 5, publish: { channel: 'a', data } })
  t.equal((await peer.closed).code, 3013)
})

t.test('limits the connections of a user', async (t) => {
  const two = await node({ MAX_CONNECTIONS_PER_USER: '2' })
  const first = await connected(two.wsUrl, auth.issue())
  await connected(two.wsUrl, auth.issue())
  const third = dial(two.wsUrl, auth.issue())
  await once(third.socket, 'open')
  third.send({ id: 1, connect: {} })
  t.same(await third.closed, { code: 3504, reason: 'connection limit' })
  await connected(two.wsUrl, auth.issue({ subject: 'bob' }))
  first.socket.terminate()
  await once(first.socket, 'close')
  while ((await two.metric('portcullis_realtime_connections')) > 2) {}
  await connected(two.wsUrl, auth.issue())
})

/** Uses up the refusals of this address. */
async function flood(strict: Awaited<ReturnType<typeof node>>, count: number) {
  for (let sent = 0; sent < count; sent += 1) {
    t.equal((await strict.api('publish', `flood${sent}`, {})).status, 401)
  }
}

t.test(
  'admits a known active token from an address beyond its limit, on socket and HTTP',
  async (t) => {
    const strict = await node({ REFUSALS_PER_MINUTE: '20', ADMISSION: 'connect' })
    await flood(strict, 25)
    const body = { channel: 'a', data: 1 }
    const backend = () => auth.issue({ subject: 'shop' })
    t.equal((await strict.api('publish', backend(), body)).status, 200)
    const key = await fetch(`${strict.url}/api/publish`, {
      method: 'POST',
      headers: { 'x-api-key': backend(), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    t.equal(key.status, 200)
    await connected(strict.wsUrl, auth.issue())
    const browser = new WebSocket(strict.wsUrl, ['portcullis', `bearer.${auth.issue()}`])
    await once(browser, 'open')
    browser.terminate()
    const guest = dial(strict.wsUrl)
    await once(guest.socket, 'open')
    t.match(await guest.call({ id: 1, connect: { token: auth.issue() } }), { connect: {} })
    t.equal(
      (await strict.api('publish', 'still-bad', {})).status,
      401,
      'an unknown token is introspected',
    )
    for (let sent = 0; sent < 12; sent += 1) {
      const late = dial(strict.wsUrl)
      await once(late.socket, 'open')
      late.send({ id: 1, connect: { token: `late${sent}` } })
      t.equal((await late.closed).code, 3500)
    }
  },
)

t.test('introspects few unknown tokens of an address beyond its limit at a time', async (t) => {
  const strict = await node({ REFUSALS_PER_MINUTE: '20', ADMISSION: 'connect' })
  const known = auth.issue({ subject: 'shop' })
  const body = { channel: 'a', data: 1 }
  t.equal((await strict.api('publish', known, body)).status, 200)
  await flood(strict, 20)
  const before = auth.introspected
  let resume = () => {}
  auth.hold = new Promise((resolve) => {
    resume = resolve
  })
  const bad = Array.from({ length: 10 }, (_, at) => strict.api('publish', `more${at}`, {}))
  const upgrades = Array.from({ length: 10 }, (_, at) =>
    refused(strict.wsUrl, { headers: bearer(`up${at}`) }),
  )
  const guests = Array.from({ length: 10 }, (_, at) => {
    const guest = dial(strict.wsUrl)
    guest.socket.on('open', () => guest.send({ id: 1, connect: { token: `guest${at}` } }))
    return guest.closed
  })
  const good = strict.api('publish', auth.issue({ subject: 'shop' }), body)
  while (auth.introspected < before + 2) {
    await new Promise(setImmediate)
  }
  const passes = connected(strict.wsUrl, known)
  while (auth.introspected < before + 3) {
    await new Promise(setImmediate)
  }
  t.equal(auth.introspected, before + 3, 'two unknown tokens and the formerly active one')
  auth.hold = undefined
  resume()
  await passes
  t.equal((await good).status, 200, 'an active token gets its turn')
  for (const { status } of await Promise.all(bad)) {
    t.equal(status, 401)
  }
  for (const { status } of await Promise.all(upgrades)) {
    t.equal(status, 401)
  }
  for (const { code } of await Promise.all(guests)) {
    t.equal(code, 3500)
  }
})

t.test('refuses a refused token again without introspection beyond the limit', async (t) => {
  const strict = await node({ REFUSALS_PER_MINUTE: '20' })
  await flood(strict, 20)
  const asked = auth.introspected
  t.equal((await refused(strict.wsUrl, { headers: bearer('bad') })).status, 401)
  const again = await refused(strict.wsUrl, { headers: bearer('bad') })
  t.equal(again.status, 429)
  t.match(again.headers['retry-after'], /^[1-6]\d?$/)
  t.match(JSON.parse(again.body), { status: 429, code: 'too_many_refusals' })
  t.equal((await strict.api('publish', 'flood3', {})).status, 429)
  t.equal((await refused(strict.wsUrl)).status, 401, 'no introspection without a token')
  t.equal(auth.introspected, asked + 1)
  t.equal((await fetch(`${strict.url}/health`)).status, 200)
  t.equal(await strict.metric('portcullis_realtime_limited_total{what="refusals"}'), 2)

  const token = auth.issue({ subject: 'shop' })
  t.equal((await strict.api('publish', token, { channel: 'a', data: 1 })).status, 200)
  await auth.revoke({ token })
  t.equal((await strict.api('publish', token, { channel: 'a', data: 1 })).status, 401)
  t.equal(
    (await strict.api('publish', token, { channel: 'a', data: 1 })).status,
    429,
    'refused without introspection',
  )
})

t.test('ignores the address that a direct peer claims', async (t) => {
  const strict = await node({ REFUSALS_PER_MINUTE: '20' })
  await flood(strict, 20)
  await refused(strict.wsUrl, { headers: bearer('bad') })
  for (const spoofed of [
    { 'x-forwarded-for': '192.0.2.1' },
    { forwarded: 'for=192.0.2.1' },
    { 'x-real-ip': '192.0.2.1', 'x-client-ip': '192.0.2.1', 'cf-connecting-ip': '192.0.2.1' },
  ]) {
    const { status } = await refused(strict.wsUrl, { headers: { ...spoofed, ...bearer('bad') } })
    t.equal(status, 429, JSON.stringify(spoofed))
  }
})

t.test('limits one stale token without affecting other tokens of the address', async (t) => {
  const strict = await node({ REFUSALS_PER_MINUTE: '30' })
  const statuses = []
  for (let sent = 0; sent < 100; sent += 1) {
    statuses.push((await refused(strict.wsUrl, { headers: bearer('stale') })).status)
  }
  t.same(statuses.slice(0, 3), [401, 401, 401])
  t.same([...new Set(statuses.slice(3))], [429])
  await connected(strict.wsUrl, auth.issue())
  const elsewhere = { protocols: ['portcullis', 'bearer.stale'] }
  t.equal((await refused(strict.wsUrl, elsewhere)).status, 401, 'the address is not limited')
})

t.test('does not count successes', async (t) => {
  const strict = await node({ REFUSALS_PER_MINUTE: '10' })
  const token = auth.issue({ subject: 'shop' })
  for (let dialled = 0; dialled < 15; dialled += 1) {
    const peer = await connected(strict.wsUrl, token)
    peer.socket.terminate()
  }
  const publish = { channel: 'a', data: 1 }
  for (let sent = 0; sent < 15; sent += 1) {
    await strict.api('publish', token, publish)
  }
  t.equal((await strict.api('publish', token, publish)).status, 200)
})

t.test('uses the address from a trusted proxy', async (t) => {
  const proxied = await node({ REFUSALS_PER_MINUTE: '10', TRUST_PROXY: '127.0.0.1' })
  const from = (address: string, token: string) => ({
    headers: { 'x-forwarded-for': address, ...bearer(token) },
  })
  for (let sent = 0; sent < 10; sent += 1) {
    await refused(proxied.wsUrl, from('192.0.2.1', `bad${sent}`))
  }
  t.equal((await refused(proxied.wsUrl, from('192.0.2.1', 'bad0'))).status, 429)
  t.equal((await refused(proxied.wsUrl, from('192.0.2.2', 'bad0'))).status, 401)
  const claimed = from('192.0.2.2, 192.0.2.1', 'bad0')
  t.equal(
    (await refused(proxied.wsUrl, claimed)).status,
    429,
    'an address that the client prepended is ignored',
  )
  for (let port = 0; port < 10; port += 1) {
    await refused(proxied.wsUrl, from(`192.0.2.3:${5000 + port}`, `bad${port}`))
    await refused(proxied.wsUrl, from(`[2001:db8::7]:${5000 + port}`, `bad${port}`))
  }
  for (const address of ['192.0.2.3', '192.0.2.3:4999', '2001:db8::8', '[2001:db8::9]:4999']) {
    t.equal((await refused(proxied.wsUrl, from(address, 'bad0'))).status, 429, address)
  }
})

const publisher = auth.issue({ subject: 'shop', scope: 'publish:* history:* presence:*' })
const reader = () => auth.issue({ subject: 'eve', scope: 'subscribe:* history:* presence:*' })

/** Publishes this many publications of 1,000 bytes each. */
async function fill(to: Awaited<ReturnType<typeof node>>, channel: string, count: number) {
  const data = 'x'.repeat(989)
  const commands = Array.from({ length: count }, () => ({ publish: { channel, data } }))
  t.equal((await to.api('batch', publisher, { commands })).status, 200)
}

const offsetsOf = (result: unknown) =>
  Object(result).publications.map(({ offset }: { offset: number }) => offset)
const upTo = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at)

t.test(
  'cuts a history at the maximum reply and continues with since, on socket and HTTP',
  async (t) => {
    for (const [bound, first] of [
      [{ MAX_ANSWER_BYTES: '10000' }, 10],
      [{ MAX_HISTORY_PUBLICATIONS: '15' }, 15],
    ] as const) {
      const bounded = await node({
        NAMESPACES: '{"s":{"historySize":40,"recovery":true}}',
        ...bound,
      })
      await fill(bounded, 's:1', 25)
      const peer = await connected(bounded.wsUrl, reader())
      const all = { channel: 's:1', limit: -1 }
      const { history } = Object(await peer.call({ id: 2, history: all }))
      t.same(offsetsOf(history), upTo(1, first))
      t.equal(history.offset, 25, 'the end of the stream')
      const since = { offset: 25 - first, epoch: history.epoch }
      const rest = Object(await peer.call({ id: 3, history: { ...all, since } }))
      t.same(offsetsOf(rest.history), upTo(26 - first, 25))
      const { body } = await bounded.api('history', publisher, { ...all, limit: 40 })
      t.same(offsetsOf(Object(body).result), upTo(1, first))
      const onHttp = await bounded.api('history', publisher, { ...all, since })
      t.same(offsetsOf(Object(onHttp.body).result), upTo(26 - first, 25))

      const recover = { recover: true, epoch: history.epoch }
      t.match(
        await peer.call({ id: 4, subscribe: { channel: 's:1', ...recover, offset: 25 - first } }),
        { subscribe: { was_recovering: true, recovered: true, offset: 25 } },
        'the same amount is recovered',
      )
      await peer.call({ id: 5, unsubscribe: { channel: 's:1' } })
      const longer = { channel: 's:1', ...recover, offset: 24 - first }
      const lost = Object(await peer.call({ id: 6, subscribe: longer })).subscribe
      t.match(lost, { was_recovering: true, offset: 25 })
      t.notOk('recovered' in lost || 'publications' in lost, 'more is not recovered')
    }
  },
)

t.test('charges reads, on socket and HTTP', async (t) => {
  const slow = await node({
    NAMESPACES: '{"s":{"historySize":40}}',
    BYTES_PER_SECOND: '1024',
    API_BYTES_PER_SECOND: '1024',
    RATE_BURST_SECONDS: '10',
  })
  await fill(slow, 's:1', 9)
  const peer = await connected(slow.wsUrl, reader())
  const all = { channel: 's:1', limit: -1 }
  t.match(await peer.call({ id: 2, history: all }), { history: {} })
  t.match(await peer.call({ id: 3, history: all }), { history: {} }, 'started within the rate')
  t.match(await peer.call({ id: 4, history: all }), { error: { code: 111, temporary: true } })
  t.match(await peer.call({ id: 5, history: { channel: 's:1' } }), { history: { offset: 9 } })

  const { body } = await slow.api('history', publisher, all)
  t.equal(offsetsOf(Object(body).result).length, 9)
  t.equal((await slow.api('history', publisher, all)).status, 200)
  t.equal((await slow.api('history', publisher, all)).status, 429)
  t.equal((await slow.api('publish', publisher, { channel: 'a', data: 1 })).status, 429)
})

t.test('replies 106 when presence exceeds the maximum reply, on socket and HTTP', async (t) => {
  const small = await node({ NAMESPACES: '{"p":{"presence":true}}', MAX_ANSWER_BYTES: '1024' })
  for (const subject of Array.from({ length: 6 }, (_, at) => `${at}-${'u'.repeat(120)}`)) {
    const member = await connected(small.wsUrl, auth.issue({ subject }))
    await member.call({ id: 2, subscribe: { channel: 'p:1' } })
    if (subject.startsWith('0')) {
      await member.call({ id: 3, subscribe: { channel: 'p:2' } })
    }
  }
  const peer = await connected(small.wsUrl, reader())
  const channel = 'p:1'
  t.match(await peer.call({ id: 2, presence: { channel } }), { error: { code: 106 } })
  t.match(await peer.call({ id: 3, presence_stats: { channel } }), {
    presence_stats: { num_clients: 6, num_users: 6 },
  })
  t.match(await peer.call({ id: 4, presence: { channel: 'p:2' } }), { presence: {} })
  t.match(await small.api('presence', publisher, { channel }), { body: { error: { code: 106 } } })
  t.match(await small.api('presence_stats', publisher, { channel }), {
    body: { result: { num_clients: 6 } },
  })
})
