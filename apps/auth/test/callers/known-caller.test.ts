// A caller that comes again is known: the registry is not asked about its token for each request. A
// revocation ends it as before, whichever instance commits it.
import type { Receipt } from '@portcullis/contracts/revocations'
import t from 'tap'
import { type Auth, auth } from '../fixtures/auth.js'

interface Caller {
  token: string
  identity: string
}

/** Returns a caller that the instances know: each has answered it. */
async function knownTo(instances: readonly Auth[], by: Auth): Promise<Caller> {
  const credentials = await by.identity(['introspect'], { labels: ['phone'] })
  const token = await by.token(credentials)
  for (const instance of instances) {
    for (const _ of [1, 2]) {
      await introspect(instance, token, 200)
    }
  }
  return { token, identity: credentials.identity }
}

function jtiOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti
}

async function introspect(at: Auth, token: string, expected: number): Promise<void> {
  const answer = await at.api(token, 'POST', '/v1/introspections', { tokens: ['x'] })
  if (answer.statusCode !== expected) {
    throw new Error(`${answer.statusCode} instead of ${expected}: ${answer.body}`)
  }
}

/** Revokes a known caller's token, and returns the receipt. */
type Revoke = (by: Auth, admin: string, caller: Caller) => Promise<Receipt>

const selecting =
  (selector: (caller: Caller) => object, wait: number): Revoke =>
  async (by, admin, caller) => {
    const body = { ...selector(caller), wait }
    const answer = await by.api(admin, 'POST', '/v1/revocations', body)
    if (answer.statusCode !== 201) {
      throw new Error(answer.body)
    }
    return answer.json()
  }

const selectors: Record<string, (caller: Caller) => object> = {
  'its token': ({ token }) => ({ token }),
  'its token with a cascade': ({ token }) => ({ token, cascade: true }),
  'its identity': ({ identity }) => ({ identity }),
  'its subject': ({ identity }) => ({ identity, subject: identity }),
  everything: () => ({ all: true }),
}

const acts: Record<string, (caller: Caller) => [method: 'POST' | 'DELETE', path: string]> = {
  'its identity is suspended': ({ identity }) => ['POST', `/v1/identities/${identity}/suspend`],
  'its identity is deleted': ({ identity }) => ['DELETE', `/v1/identities/${identity}`],
}

t.test('asks the registry once about a caller that comes again', async (t) => {
  const self = await auth(t)
  const { redis } = self.app.registry
  const evalsha = redis.evalsha.bind(redis)
  const asked: unknown[] = []
  Reflect.set(redis, 'evalsha', (...args: Parameters<typeof evalsha>) => {
    asked.push(...args)
    return evalsha(...args)
  })
  const token = await self.token()
  const key = self.app.registry.keys.token(0, jtiOf(token))
  const times = () => asked.filter((text) => text === key).length
  const issued = times()
  for (const _ of [1, 2, 3]) {
    t.equal((await self.api(token, 'GET', '/v1/identities')).statusCode, 200)
  }
  t.equal(times() - issued, 1)
  t.equal(self.app.callers.running, 0)
})

t.test('admits requests of an unknown caller that arrive together', async (t) => {
  const self = await auth(t)
  const token = await self.token()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => self.api(token, 'GET', '/v1/identities')),
  )
  t.same(new Set(answers.map(({ statusCode }) => statusCode)), new Set([200]))
})

for (const [name, selector] of Object.entries(selectors)) {
  t.test(
    `refuses a known caller after the receipt, when another instance revokes ${name}`,
    async (t) => {
      const self = await auth(t, { PARTITIONS: '4' })
      const other = await self.another()
      const caller = await knownTo([self, other], self)
      const receipt = await selecting(selector, 10_000)(other, await other.token(), caller)
      t.ok(receipt.complete)
      await introspect(self, caller.token, 401)
    },
  )

  t.test(`refuses a known caller at once, when the same instance revokes ${name}`, async (t) => {
    const self = await auth(t, { PARTITIONS: '4' })
    const caller = await knownTo([self], self)
    await selecting(selector, 0)(self, await self.token(), caller)
    await introspect(self, caller.token, 401)
  })
}

for (const [name, act] of Object.entries(acts)) {
  t.test(`refuses a known caller when ${name}`, async (t) => {
    const self = await auth(t, { PARTITIONS: '4' })
    const caller = await knownTo([self], self)
    const answer = await self.api(await self.token(), ...act(caller))
    t.ok(answer.statusCode < 300, answer.body)
    await introspect(self, caller.token, 401)
  })
}

t.test('refuses a known caller when a signing key is revoked', async (t) => {
  const self = await auth(t)
  const { token } = await knownTo([self], self)
  const { kid } = self.app.tokens.keys.current
  const answer = await self.api(await self.token(), 'POST', `/v1/keys/${kid}/revoke`, {})
  t.equal(answer.statusCode, 201, answer.body)
  await introspect(self, token, 401)
})

t.test('refuses a known caller whose client has revoked its token by RFC 7009', async (t) => {
  const self = await auth(t)
  const credentials = await self.identity(['introspect'])
  const token = await self.token(credentials)
  await introspect(self, token, 200)
  const answer = await self.form('/oauth/revoke', {
    token,
    client_id: credentials.identity,
    client_secret: credentials.registrationCode,
  })
  t.equal(answer.statusCode, 200)
  await introspect(self, token, 401)
})

t.test(
  'answers a known caller that revokes its own token, and refuses it from then on',
  async (t) => {
    const self = await auth(t)
    const token = await self.token()
    t.equal((await self.api(token, 'GET', '/v1/identities')).statusCode, 200)
    const answer = await self.api(token, 'POST', '/v1/revocations', { token })
    t.equal(answer.statusCode, 201, answer.body)
    t.equal((await self.api(token, 'GET', '/v1/identities')).statusCode, 401)
  },
)

t.test('asks about every caller again when the feed has skipped events', async (t) => {
  const self = await auth(t)
  const { token } = await knownTo([self], self)
  // Removes the token without an event, as a Redis restored from older data does.
  const { redis, keys } = self.app.registry
  await redis.del(keys.token(0, jtiOf(token)))
  await introspect(self, token, 200)
  self.app.ownPart.onLost(self.app.feedHub.position)
  await introspect(self, token, 401)
})
