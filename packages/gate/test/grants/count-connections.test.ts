import { byPlace } from '@portcullis/contracts/connections'
import type { Inquire } from '@portcullis/contracts/feed'
import type { Active } from '@portcullis/contracts/introspection'
import t from 'tap'
import { countConnections } from '../../src/grants/count-connections.js'
import { claimsOf, LiveGrant } from '../../src/grants/grant.js'
import { dial } from '../fixtures/dial.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const id = 'A'.repeat(22)

t.test(
  'a node sends attend if auth has inquiries, and reports the connections of each token',
  async (t) => {
    const auth = await scriptedAuth(t)
    auth.onHello = () => ({ type: 'welcome', cursor: auth.cursor, resumed: false, inquiries: true })
    const attended = auth.next('attend')
    const { ws } = await guardedApp(t, { authUrl: auth.url })
    await attended
    const ada = auth.issue({ labels: ['phone'] })
    const bob = auth.issue({ sub: 'bob' })
    const before = Date.now()
    for (const token of [ada, bob, ada]) {
      await dial(`${ws}/echo`, { token })
    }
    const ask = async (question: Partial<Inquire>) => {
      const answered = auth.next('connections')
      auth.send({ type: 'inquire', id, selector: { all: true }, limit: 10, ...question })
      return answered
    }
    const of = (token: string) => ({ jti: auth.of(token).jti, issuedUs: auth.of(token).issued_us })
    const both = await ask({})
    t.match(both, {
      type: 'connections',
      id,
      connections: 3,
      tokens: [
        { ...of(bob), connections: 1 },
        { ...of(ada), connections: 2 },
      ],
    })
    const { tokens } = both as { tokens: { since: number }[] }
    t.ok(tokens.every(({ since }) => since >= before && since <= Date.now()))
    const selected = [
      [{ jti: of(ada).jti }, 2],
      [{ identity: 'shop' }, 3],
      [{ identity: 'shop', subject: 'bob' }, 1],
      [{ identity: 'shop', label: 'phone' }, 2],
      [{ identity: 'bank' }, 0],
    ] as const
    for (const [selector, connections] of selected) {
      t.match(await ask({ selector }), { connections }, JSON.stringify(selector))
    }
    t.match(await ask({ limit: 1 }), { connections: 3, tokens: [of(bob)] })
    t.match(await ask({ after: of(bob) }), { connections: 3, tokens: [of(ada)] })

    await auth.push(auth.event({ jti: of(ada).jti }))
    t.match(await ask({}), { connections: 1, tokens: [of(bob)] }, 'without closed connections')
  },
)

t.test('does not send attend to an auth without inquiries', async (t) => {
  const auth = await scriptedAuth(t)
  let attended = false
  auth.on('attend', () => {
    attended = true
  })
  await guardedApp(t, { authUrl: auth.url })
  await auth.push(auth.event({ identity: 'bank' }))
  t.notOk(attended)
})

t.test('counts a malformed inquiry as garbage', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, log } = await guardedApp(t, { authUrl: auth.url })
  const good = { type: 'inquire', id, selector: { all: true }, limit: 10 }
  for (const bad of [{ limit: 0 }, { limit: 1001 }, { selector: {} }, { id: 'x' }, { after: {} }]) {
    const from = log.lines.length
    auth.send({ ...good, ...bad })
    await log.line('feed is in sync', from)
  }
  t.equal(app.gate.stats.feedGarbage, 5)
})

t.test('returns the same first tokens as a full sort', async (t) => {
  const grants = Array.from({ length: 500 }, (_, n) => {
    const active: Active = {
      active: true,
      jti: `0-${String((n * 7919) % 250).padStart(22, 'A')}`,
      client_id: 'shop',
      sub: 'ada',
      scope: '',
      iat: 1,
      exp: 2,
      iss: 'i',
      aud: 'a',
      token_type: 'Bearer',
      // Some share a microsecond, as tokens of two partitions can.
      issued_us: ((n * 7919) % 250) >> 1,
      expires_in_ms: 3_600_000,
      labels: [],
      parents: [],
    }
    const grant = new LiveGrant(claimsOf(active, active.exp * 1000), '')
    grant.add({ ended: () => undefined, isConnection: () => true })
    return grant
  })
  const sorted = [...new Map(grants.map((grant) => [grant.jti, grant])).values()].sort(byPlace)
  for (const limit of [1, 3, 100, 249, 250, 1000]) {
    const question = { selector: { all: true as const }, limit }
    const { connections, tokens } = countConnections(grants, question)
    t.equal(connections, 500)
    t.same(
      tokens.map(({ jti, connections }) => ({ jti, connections })),
      sorted.slice(0, limit).map(({ jti }) => ({ jti, connections: 2 })),
    )
  }
})
