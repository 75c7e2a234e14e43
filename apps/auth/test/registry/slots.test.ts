import type { Commands } from '@portcullis/redis'
import t from 'tap'
import * as verbs from '../../src/registry/index.js'
import { open, token } from './fixtures/open.js'

/** Returns a connection that records the keys of every script. */
function recording(redis: Commands): { redis: Commands; calls: string[][] } {
  const calls: string[][] = []
  const proxy = new Proxy(redis, {
    get(target, name) {
      const value = Reflect.get(target, name, target)
      if (typeof value !== 'function') {
        return value
      }
      return (...args: unknown[]) => {
        if (name === 'evalsha' || name === 'eval') {
          calls.push(args.slice(2, 2 + Number(args[1])).map(String))
        }
        return Reflect.apply(value, target, args)
      }
    },
  })
  return { redis: proxy, calls }
}

/** Returns the hash tag of a key: between the first `{` and the next `}`. */
function tagOf(key: string): string | undefined {
  return /^[^{]*\{([^}]+)\}/.exec(key)?.[1]
}

t.test('every script has keys of one slot of a Cluster', async (t) => {
  const opened = await open(t, { partitions: 16 })
  const { redis, calls } = recording(opened.redis)
  const registry = { ...opened.registry, redis }
  const node = { node: 'n', instance: 'instance-one', identity: 'nodes' }
  await verbs.ensureAdministrator(registry, { identity: 'admin', registrationCode: 'x'.repeat(43) })
  const claims = []
  for (const identity of ['a{9}', 'b', 'c', 'd}{e']) {
    const { registrationCode } = await verbs.registerIdentity(registry, { identity, scopes: [] })
    await verbs.authenticate(registry, identity, registrationCode)
    const { id } = await verbs.addRegistrationCode(registry, identity, {})
    await verbs.removeRegistrationCode(registry, identity, id)
    await verbs.changeIdentity(registry, identity, { labels: ['x'] })
    claims.push({ jti: (await token(registry, identity)).jti, client_id: identity })
  }
  const method = 'client_secret_basic' as const
  const client = { token_endpoint_auth_method: method, grant_types: [] }
  const registration = { scopes: [], client }
  for (let n = 0; n < 4; n++) {
    const made = await verbs.registerClient(registry, registration, [])
    const { identity } = made.identity
    await verbs.findClient(registry, identity, made.registrationToken)
    await verbs.changeClient(registry, identity, made.registrationToken, registration)
  }
  await verbs.joinNode(registry, node)
  await verbs.setConnected(registry, { ...node, connection: 'c' }, true)
  await verbs.introspectById(registry, claims)
  await verbs.introspect(
    registry,
    claims.map((claim) => ({ ...claim, text: 'x' })),
  )
  const selectors = [
    { jti: claims[0]?.jti ?? '' },
    { jti: claims[1]?.jti ?? '', cascade: true as const },
    { identity: 'b' },
    { identity: 'b', subject: 'anna' },
    { identity: 'b', label: 'x' },
    { all: true as const },
  ]
  const receiver = await verbs.addEventReceiver(registry, {
    aud: 'x',
    delivery: { method: 'urn:ietf:rfc:8936' },
    identity: 'b',
  })
  const { id } = receiver
  for (const selector of selectors) {
    await verbs.revoke(registry, { selector })
  }
  await verbs.suspendIdentity(registry, 'c')
  await verbs.resumeIdentity(registry, 'c')
  await verbs.deleteIdentity(registry, 'c')
  await verbs.listIdentities(registry, { limit: 10 })
  await verbs.countTokens(registry, {})
  await token(registry, 'a{9}')
  await verbs.listTokens(registry, { label: 'x' })
  t.equal((await verbs.listTokens(registry, { identity: 'a{9}' })).tokens.length, 2)
  await verbs.listNodes(registry)
  await verbs.ackRevocations(registry, node, [], await verbs.feedEnd(registry))
  await verbs.leaveNode(registry, node)
  const entry = {
    action: 'code.add',
    result: 'ok',
    status: 201,
    address: 'x',
    requestId: 'x',
  } as const
  const retention = { maxLength: 100, maxAgeMs: 1000 }
  for (const partition of [0, 7]) {
    await verbs.appendAudit(registry, retention, partition, [entry])
  }
  t.equal((await verbs.listAudit(registry, retention, {})).entries.length, 2)
  await verbs.changeEventReceiver(registry, id, (same) => same)
  await verbs.queueEvents(registry, receiver, 100)
  await verbs.queueVerification(registry, id, 100, undefined)
  const events = await verbs.takeEvents(registry, id, 100)
  t.ok(events.length > selectors.length)
  await verbs.settleEvents(registry, id, new Map(events.map(({ jti }) => [jti, 'expired'])))
  await verbs.claimEventPusher(registry, id, 'process', 1000)
  await verbs.deleteEventReceiver(registry, id)

  t.ok(calls.length > 100, `${calls.length} scripts were recorded`)
  const seen = new Set<string>()
  for (const keys of calls) {
    const tags = new Set(keys.map(tagOf))
    const [tag] = tags
    if (tags.size !== 1 || tag === undefined) {
      t.fail('a script has keys of two slots', { keys })
    } else {
      seen.add(tag)
    }
  }
  t.ok(seen.size > 10, 'several partitions were used')
})

t.test('every key in Redis has the hash tag of a partition', async (t) => {
  const { registry, redis, prefix } = await open(t, { partitions: 4 })
  await verbs.registerIdentity(registry, { identity: 'shop', scopes: [] })
  await token(registry, 'shop')
  t.equal(await verbs.useOnce(registry, 'shop', 'jti', 60), true)
  const receiver = await verbs.addEventReceiver(registry, {
    aud: 'x',
    delivery: { method: 'urn:ietf:rfc:8936' },
    identity: 'b',
  })
  await verbs.revoke(registry, { selector: { all: true } })
  await verbs.appendAudit(registry, { maxLength: 100, maxAgeMs: 1000 }, 3, [
    { action: 'code.add', result: 'ok', status: 201, address: 'x', requestId: 'x' },
  ])
  await verbs.queueEvents(registry, receiver, 100)
  await verbs.claimEventPusher(registry, receiver.id, 'process', 1000)
  const keys = await redis.keys(`*${prefix}*`)
  t.ok(keys.length > 15)
  for (const key of keys) {
    t.match(tagOf(key) ?? '', new RegExp(`^${prefix}:[0-3](\\.[0-9a-z]+)?$`), key)
  }
})
