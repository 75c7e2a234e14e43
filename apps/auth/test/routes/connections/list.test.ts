import type { Inquire } from '@portcullis/contracts/feed'
import t, { type Test } from 'tap'
import { type Auth, auth } from '../../fixtures/auth.js'
import { heard, hello, joined, node, nodeToken, type TestNode } from '../../fixtures/node.js'

interface HeldToken {
  jti: string
  issuedUs: number
  connections: number
}

/** Joins a node that attends, and answers every inquiry about `tokens`. */
async function attending(
  t: Test,
  self: Auth,
  name: string,
  tokens: HeldToken[],
): Promise<TestNode> {
  const one = await joined(t, self, name)
  one.send({ type: 'attend' })
  one.socket.on('message', (data) => {
    const message = JSON.parse(String(data))
    if (message.type === 'inquire') {
      one.send(replyTo(message, tokens))
    }
  })
  await heard(one)
  return one
}

function replyTo({ id, limit, after }: Inquire, tokens: HeldToken[]) {
  const below = after?.issuedUs ?? Number.POSITIVE_INFINITY
  const sorted = tokens
    .filter(({ issuedUs }) => issuedUs < below)
    .sort((a, b) => b.issuedUs - a.issuedUs)
  return {
    type: 'connections',
    id,
    connections: tokens.reduce((sum, { connections }) => sum + connections, 0),
    tokens: sorted.slice(0, limit).map((token) => ({ ...token, since: 5 })),
  }
}

/** Issues tokens of one identity, and returns them with their issue times in the registry. */
async function issued(self: Auth, count: number): Promise<HeldToken[]> {
  const shop = await self.identity(['tokens:issue', 'subscribe:*'])
  const asShop = await self.token(shop)
  const tokens: HeldToken[] = []
  for (let n = 0; n < count; n += 1) {
    const body = { subject: `user-${n}`, labels: ['phone'] }
    const { jti } = (await self.api(asShop, 'POST', '/v1/tokens', body)).json()
    const { redis, keys } = self.app.registry
    const us = await redis.hget(keys.token(0, jti), 'issuedUs')
    tokens.push({ jti, issuedUs: Number(us), connections: n + 1 })
  }
  return tokens
}

t.test('lists the connections of all nodes by token, at any instance', async (t) => {
  const self = await auth(t)
  const other = await self.another()
  const admin = await self.token()
  const [first, second, third] = await issued(self, 3)
  if (first === undefined || second === undefined || third === undefined) {
    return
  }
  await attending(t, self, 'node-1', [first, second])
  await attending(t, other, 'node-2', [{ ...second, connections: 40 }, third])
  for (const asked of [self, other]) {
    const answer = await asked.api(admin, 'GET', '/v1/connections?wait=10000')
    t.match(answer.json(), {
      complete: true,
      connections: 1 + 2 + 40 + 3,
      nodes: [
        { node: 'node-1', state: 'answered', connections: 3 },
        { node: 'node-2', state: 'answered', connections: 43 },
      ],
      tokens: [
        { jti: third.jti, subject: 'user-2', labels: ['phone'], connections: 3, since: 5 },
        {
          jti: second.jti,
          subject: 'user-1',
          connections: 42,
          nodes: [
            { node: 'node-1', connections: 2 },
            { node: 'node-2', connections: 40 },
          ],
        },
        { jti: first.jti, subject: 'user-0', connections: 1 },
      ],
    })
    t.notOk(answer.json().cursor)
  }
})

t.test('pages through all tokens, each once', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const tokens = await issued(self, 7)
  await attending(t, self, 'node-1', tokens.slice(0, 5))
  await attending(t, self, 'node-2', tokens.slice(3))
  const seen: string[] = []
  let cursor = ''
  do {
    const path = `/v1/connections?limit=2&wait=10000${cursor === '' ? '' : `&cursor=${cursor}`}`
    const page = (await self.api(admin, 'GET', path)).json()
    seen.push(...page.tokens.map(({ jti }: HeldToken) => jti))
    cursor = page.cursor ?? ''
  } while (cursor !== '')
  t.same(seen, tokens.map(({ jti }) => jti).toReversed())
})

t.test('names the nodes that did not answer, with the reason', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const [one] = await issued(self, 1)
  if (one === undefined) {
    return
  }
  await attending(t, self, 'answers', [one])
  const silent = await joined(t, self, 'silent')
  silent.send({ type: 'attend' })
  await heard(silent)
  await joined(t, self, 'old')
  const gone = await joined(t, self, 'gone')
  gone.socket.terminate()
  const { redis, keys } = self.app.registry
  while ((await redis.hget(keys.connected, 'gone')) !== null) {
    await self.app.feedRegistry.feedEnd()
  }
  const answer = await self.api(admin, 'GET', '/v1/connections?wait=200')
  t.match(answer.json(), {
    complete: false,
    connections: 1,
    tokens: [{ jti: one.jti }],
    nodes: [
      { node: 'answers', state: 'answered', connections: 1 },
      { node: 'gone', state: 'disconnected' },
      { node: 'old', state: 'unable' },
      { node: 'silent', state: 'silent' },
    ],
  })
})

t.test('asks only nodes that attend, and drops replies that were not asked for', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const old = await node(t, self, await nodeToken(self))
  old.send(hello('old'))
  t.match(await old.welcome(), { inquiries: true })
  const received: string[] = []
  old.socket.on('message', (data) => received.push(JSON.parse(String(data)).type))
  await self.api(admin, 'GET', '/v1/connections?wait=10000')
  await heard(old)
  t.notOk(received.includes('inquire'), 'sends no inquiry')

  const unasked = { type: 'connections', id: 'A'.repeat(22), connections: 5, tokens: [] }
  old.send(unasked)
  await heard(old)
  const { redis, keys } = self.app.registry
  t.equal(await redis.exists(keys.inquiry(unasked.id)), 0, 'stores no reply that was not asked for')
  const tooMany = Array.from({ length: 1001 }, () => ({
    jti: `0-${'A'.repeat(22)}`,
    issuedUs: 1,
    connections: 1,
    since: 1,
  }))
  old.send({ ...unasked, tokens: tooMany })
  t.match(await old.closed, { code: 4400 })
})

t.test('selects tokens as a revocation does, and a token only by its id', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  one.send({ type: 'attend' })
  await heard(one)
  const jti = `0-${'A'.repeat(22)}`
  const queries = [
    ['', { all: true }],
    [`token=${jti}`, { jti }],
    [`token=${jti}&cascade=true`, { jti, cascade: true }],
    ['identity=shop', { identity: 'shop' }],
    ['identity=shop&subject=ann', { identity: 'shop', subject: 'ann' }],
    ['identity=shop&label=web', { identity: 'shop', label: 'web' }],
  ] as const
  for (const [query, selector] of queries) {
    const answer = self.api(admin, 'GET', `/v1/connections?limit=7&wait=10000&${query}`)
    const inquiry = await one.next()
    t.match(inquiry, { type: 'inquire', selector, limit: 8 })
    if (inquiry.type === 'inquire') {
      one.send(replyTo(inquiry, []))
    }
    t.match((await answer).json(), { complete: true, tokens: { length: 0 } })
  }
  const wrong = [
    'subject=ann',
    'label=web',
    'cascade=true',
    'identity=shop&cascade=true',
    `token=${jti}&cascade=no`,
    `token=${jti}&identity=shop`,
    'identity=shop&subject=a&label=b',
    `token=${admin}`,
    'limit=501',
    'wait=10001',
    'cursor=1',
  ]
  for (const query of wrong) {
    const answer = await self.api(admin, 'GET', `/v1/connections?${query}`)
    t.equal(answer.statusCode, 400, query)
    t.notOk(answer.body.includes(admin))
  }
})
