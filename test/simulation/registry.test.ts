import { deepEqual } from 'node:assert/strict'
import { maxParents } from '@portcullis/contracts/names'
import type { Selector } from '@portcullis/contracts/revocations'
import { testRedis } from '@portcullis/local'
import { close, connect } from '@portcullis/redis'
import fc from 'fast-check'
import t from 'tap'
import { feedRegistry } from '../../apps/auth/dist/feed/registry.js'
import { newId, partitionOf } from '../../apps/auth/dist/registry/ids.js'
import {
  ackAuthPart,
  getReceipt,
  introspectById,
  issueToken,
  joinAuthPart,
  openRegistry,
  type Registry,
  registerIdentity,
  renewAuthPart,
  revoke,
} from '../../apps/auth/dist/registry/index.js'
import { Network } from './src/network/network.js'
import type { AskedAt, FeedRegistry, Lease, Leases, OwnPartRegistry } from './src/production.js'
import { cursorParts, leaseTimes } from './src/production.js'
import type { SimulatedToken } from './src/registry/registry.js'
import { RegistryClient } from './src/registry/registry-client.js'
import { RegistryHost } from './src/registry/registry-host.js'
import { enter, replaceGlobals } from './src/world/globals.js'
import { History } from './src/world/history.js'
import { World } from './src/world/world.js'

/*
 * Compares the simulated registry with the real one: runs random operations on both, and compares every
 * answer and every receipt. Times differ, so feed positions are compared by their sequence numbers.
 */

const leaseMs = 10_000
const nodes = [
  { node: 'node-1', instance: 'instance-a', identity: 'nodes' },
  { node: 'node-1', instance: 'instance-b', identity: 'nodes' },
  { node: 'node-2', instance: 'instance-c', identity: 'nodes' },
  { node: 'node-1', instance: 'instance-d', identity: 'others' },
]

/** An auth instance, which joins, renews and acknowledges in each partition separately. */
const authPart = { node: '(auth)host.1', instance: 'instance-d' }

/** Returns two identities for each partition. */
function identities(partitions: number): string[] {
  const names = Array.from({ length: 200 }, (_, at) => `shop${at}`)
  return Array.from({ length: partitions }, (_, partition) =>
    names.filter((name) => partitionOf(name, partitions) === partition).slice(0, 2),
  ).flat()
}

type Step =
  | { kind: 'leave' | 'settle' | 'forget'; node: number }
  /** `again`: with the `since` of the process's last join. */
  | { kind: 'join'; node: number; again: boolean }
  /** `again`: with the feed's end at the process's last renewal. */
  | { kind: 'renew'; node: number; again: boolean }
  /** `seen`: with the lease that the last `leases` step read; otherwise with the current lease. */
  | { kind: 'fence'; node: number; seen: boolean; overdue: boolean }
  | { kind: 'ack' | 'read'; node: number; position: number }
  /** Of the auth instance. */
  | { kind: 'join part' | 'ack part'; partition: number; position: number }
  | { kind: 'renew part'; partition: number; again: boolean }
  | { kind: 'issue'; token: number; parent: number | undefined }
  | { kind: 'introspect'; token: number }
  | {
      kind: 'revoke'
      token: number
      how: 'jti' | 'cascade' | 'identity' | 'subject' | 'label' | 'all'
    }
  | { kind: 'end' | 'leases' | 'other redis' }

const node = fc.nat({ max: nodes.length - 1 })
const token = fc.nat({ max: 5 })
const revocation = fc.record({
  kind: fc.constant('revoke' as const),
  token,
  how: fc.constantFrom('jti', 'cascade', 'identity', 'subject', 'label', 'all'),
})
const partition = fc.nat({ max: 1 })
const renewalOfPart = fc.record({
  kind: fc.constant('renew part' as const),
  partition,
  again: fc.boolean(),
})
const renewal = fc.record({ kind: fc.constant('renew' as const), node, again: fc.boolean() })
const join = fc.record({ kind: fc.constant('join' as const), node, again: fc.boolean() })
const fence = fc.record({
  kind: fc.constant('fence' as const),
  node,
  seen: fc.boolean(),
  overdue: fc.boolean(),
})
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('leave', 'settle', 'forget'),
      node,
    }),
    join,
    join,
    renewal,
    renewal,
    fc.record({
      kind: fc.constantFrom('join part', 'ack part'),
      partition,
      position: fc.nat({ max: 9 }),
    }),
    renewalOfPart,
    fence,
    fence,
    fc.record({ kind: fc.constantFrom('ack', 'read'), node, position: fc.nat({ max: 9 }) }),
    fc.record({
      kind: fc.constant('issue' as const),
      token,
      parent: fc.option(fc.nat({ max: 9 }), { nil: undefined }),
    }),
    fc.record({ kind: fc.constant('introspect' as const), token }),
    revocation,
    revocation,
    fc.record({ kind: fc.constantFrom('end', 'leases', 'other redis') }),
  ),
  { minLength: 5, maxLength: 40 },
)

/** One of the two registries, with answers that later steps use. */
interface Side {
  feed: FeedRegistry
  own: OwnPartRegistry
  /** The answer to the auth instance's last renewal, by partition. */
  askedPart: Map<number, { us: number; run: string }>
  /** Ends of the feed, one after each revocation. */
  positions: string[]
  /** `since` of each process's last join. */
  since: Map<string, number>
  /** The answer to each process's last renewal. */
  asked: Map<string, readonly AskedAt[]>
  /** The leases as the last `leases` step read them. */
  seen: Leases
  ask<Answer>(work: () => Promise<Answer>): Promise<Answer>
}

function sequences(cursor: string): string {
  return cursor.replace(/-\d+/g, '')
}

function comparable(lease: Lease) {
  const { partition, node: name, instance, fenceMs, fencedUs, current, waitingUs } = lease
  return {
    partition,
    node: name,
    instance: name === '(unknown)' ? 'run' : instance,
    waits: waitingUs !== undefined,
    fenceMs,
    fenced: fencedUs !== undefined,
    current,
  }
}

/** Performs a step of the feed, and returns its answer without times. */
async function act(side: Side, step: Step): Promise<unknown> {
  const { feed } = side
  const leases = async () => (await feed.readLeases()).leases
  const leasesOf = async (at: number) =>
    (await leases()).filter((lease) => lease.instance === nodes[at]?.instance)
  const at = 'node' in step ? nodes[step.node] : undefined
  const position = (wanted: number) => side.positions[wanted % side.positions.length] ?? ''
  if (step.kind === 'leases') {
    side.seen = await feed.readLeases()
    return side.seen.leases.map((lease) => JSON.stringify(comparable(lease))).sort()
  }
  if (step.kind === 'end') {
    return sequences(await feed.feedEnd())
  }
  if ('partition' in step) {
    return actOfPart(side, step)
  }
  if (at === undefined || !('node' in step)) {
    return undefined
  }
  switch (step.kind) {
    case 'join': {
      const own = step.again ? side.since.get(at.instance) : undefined
      const { cursor, replaced, isNew, since } = await feed.joinNode({ ...at, since: own })
      side.since.set(at.instance, since)
      return { cursor: sequences(cursor), replaced, isNew }
    }
    case 'leave':
      return feed.leaveNode(at)
    case 'renew': {
      const since = side.since.get(at.instance) ?? 0
      const asked = step.again ? side.asked.get(at.instance) : undefined
      const { cursor, askedAt, ...renewed } = await feed.renewLease({ ...at, since }, asked)
      side.asked.set(at.instance, askedAt)
      return { cursor: sequences(cursor), ...renewed }
    }
    case 'ack':
      return feed.ackRevocations(at, [], position(step.position))
    case 'read': {
      const read = await feed.readFeed(position(step.position), 3)
      if (read === 'lost') {
        return read
      }
      const ids = read.revocations.map(({ id, selector }) => ({ id, selector }))
      return { cursor: sequences(read.cursor), ids }
    }
    case 'fence': {
      const fenced: boolean[] = []
      const now = await feed.readLeases()
      const { leases, ends } = step.seen ? side.seen : now
      for (const lease of leases.filter(({ instance }) => instance === at.instance)) {
        const us = step.overdue ? ends[lease.partition]?.us : undefined
        fenced.push((await feed.fenceNode(lease, us)) !== undefined)
      }
      return fenced
    }
    default: {
      for (const { fencedUs, ...lease } of await leasesOf(step.node)) {
        if (fencedUs === undefined) {
          continue
        }
        if (step.kind === 'settle') {
          await feed.settleFenced({ ...lease, fencedUs })
        } else {
          await feed.forgetNode({ ...lease, fencedUs })
        }
      }
      return undefined
    }
  }
}

async function actOfPart(
  { own, askedPart, positions }: Side,
  step: Extract<Step, { partition: number }>,
): Promise<unknown> {
  const at = step.partition % own.partitions
  if (!('again' in step)) {
    if (step.kind === 'join part') {
      return own.join(at)
    }
    const cursor = positions[step.position % positions.length] ?? ''
    return own.ack(at, cursorParts(cursor)?.[at]?.us ?? 0)
  }
  const renewed = await own.renew(at, step.again ? askedPart.get(at) : undefined)
  if (renewed === 'not_joined') {
    return renewed
  }
  const { counted, end, run } = renewed
  askedPart.set(at, { us: cursorParts(end)?.[0]?.us ?? 0, run })
  return { counted, end: sequences(end) }
}

async function comparableLeases(side: Side): Promise<string[]> {
  const { leases } = await side.ask(() => side.feed.readLeases())
  return leases.map((lease) => JSON.stringify(comparable(lease))).sort()
}

const none: Leases = { leases: [], ends: [], missing: [] }

/** Returns the answer, or the code of the error. */
async function settled(work: Promise<unknown>): Promise<unknown> {
  try {
    return { answer: await work }
  } catch (error) {
    if (error instanceof Error && 'code' in error) {
      return { code: error.code }
    }
    throw error
  }
}

/** Returns a simulated registry that answers at once. */
function simulated(partitions: number, feedMaxLength: number) {
  const world = new World({ seed: 'conformance', history: new History(false) })
  const network = new Network(world, () => ({ min: 0, max: 0, lost: 0, retransmitMs: 0 }))
  const host = new RegistryHost({
    world,
    network,
    partitions,
    feedMaxLength,
    fenceMs: leaseTimes(leaseMs).fenceMs,
    onReceipt: () => undefined,
    isTooLate: () => false,
    onEffect: () => undefined,
  })
  const process = world.process('auth')
  const client = new RegistryClient(process, network, host, { leaseMs })
  const ask = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    enter(world)
    let answer: Promise<Answer> | undefined
    world.schedule(
      0,
      () => {
        answer = work()
        answer.catch(() => undefined)
      },
      process,
    )
    await world.run(world.now + 60)
    enter(undefined)
    if (answer === undefined) {
      throw new Error('the work did not begin')
    }
    return answer
  }
  return { host, client, ask }
}

replaceGlobals()

for (const partitions of [1, 2]) {
  t.test(
    `answers random operations like the real registry, ${partitions} partitions`,
    async (t) => {
      const { url } = await testRedis(t)
      const redis = connect({ url, onError: (error) => t.comment(error.message) })
      await redis.connect()
      t.teardown(() => close(redis))
      const names = identities(partitions)
      let round = 0

      const run = async (list: readonly Step[]): Promise<void> => {
        const feedMaxLength = 4
        const prefix = `${process.pid}-${partitions}-${round++}`
        const options = { prefix, partitions, feedMaxLength, receiptTtlSeconds: 600, leaseMs }
        const registry = await openRegistry({ redis, ...options })
        const { host, client, ask } = simulated(partitions, feedMaxLength)
        const real: Side = {
          feed: feedRegistry(registry),
          own: {
            partitions,
            join: (at) => joinAuthPart(registry, at, authPart),
            renew: (at, asked) => renewAuthPart(registry, at, authPart, asked),
            ack: (at, appliedUs) => ackAuthPart(registry, at, authPart, appliedUs),
            leave: async () => undefined,
          },
          askedPart: new Map(),
          positions: [],
          since: new Map(),
          asked: new Map(),
          seen: none,
          ask: (work) => work(),
        }
        const own = client.authPart(authPart)
        const ours: Side = { ...real, feed: client, own, askedPart: new Map(), positions: [], ask }
        ours.since = new Map()
        ours.asked = new Map()
        for (const name of names) {
          await registerIdentity(registry, { identity: name, scopes: [] })
        }
        for (const side of [real, ours]) {
          side.positions.push(await side.ask(() => side.feed.feedEnd()))
        }
        const tokens: Omit<SimulatedToken, 'issuedUs'>[] = []
        const revocations: string[] = []
        const first = [0, 1, 2, 3].map(
          (token): Step => ({ kind: 'issue', token, parent: undefined }),
        )

        for (const [index, step] of [...first, ...list].entries()) {
          const where = `step ${index}: ${JSON.stringify(step)}`
          if (step.kind === 'issue') {
            const identity = names[step.token % names.length] ?? ''
            const subject = step.token % 2 === 0 ? 'ada' : 'bob'
            const labels = step.token % 3 === 0 ? ['phone'] : []
            const own = tokens.filter((one) => one.identity === identity)
            const parent = step.parent === undefined ? undefined : own[step.parent % own.length]
            const parents = parent === undefined ? [] : [parent.jti, ...parent.parents]
            if (parents.length > maxParents) {
              continue
            }
            const order = { identity, subject, labels, scopes: [], ttlSeconds: 600, from: '::1' }
            const jti = newId(partitionOf(identity, partitions))
            const signer = { jti, kid: '', sign: () => jti }
            let isIssued = false
            const real = await settled(
              issueToken(registry, { ...order, parent: parent?.jti }, signer).then(() => {
                isIssued = true
              }),
            )
            const issued = { jti, identity, subject, labels, parents }
            const ours = await settled(ask(() => client.issue(issued).then(() => undefined)))
            deepEqual(ours, real, where)
            if (isIssued) {
              tokens.push(issued)
            }
          } else if (step.kind === 'introspect') {
            const asked = tokens.slice(-6)
            const active = await introspectById(
              registry,
              asked.map(({ jti, identity }) => ({ jti, client_id: identity })),
            )
            const found = await ask(() => client.introspect(asked))
            deepEqual(
              Array.from(asked, (_, at) => found[at]?.subject),
              active.map((record) => record?.subject),
              where,
            )
          } else if (step.kind === 'revoke') {
            const token = tokens[step.token % Math.max(1, tokens.length)]
            if (token === undefined) {
              continue
            }
            const selector = selectorOf(step.how, token)
            const { id } = await revoke(registry, { selector })
            await ask(() => client.revoke(id, selector, token.identity))
            revocations.push(id)
            for (const side of [real, ours]) {
              side.positions.push(await side.ask(() => side.feed.feedEnd()))
            }
          } else if (step.kind === 'other redis') {
            for (let at = 0; at < partitions; at++) {
              await redis.set(registry.keys.roster(at), 'other')
            }
            for (const partition of host.partitions) {
              partition.data.roster = 'other'
            }
          } else {
            const expected = await settled(real.ask(() => act(real, step)))
            deepEqual(await settled(ours.ask(() => act(ours, step))), expected, where)
          }
          deepEqual(await comparableLeases(ours), await comparableLeases(real), `${where}, leases`)
          for (const id of revocations) {
            deepEqual(
              receiptOf(host, id),
              await realReceipt(registry, id),
              `${where}, receipt ${id}`,
            )
          }
        }
      }
      await t.resolves(
        fc.assert(fc.asyncProperty(steps, run), { numRuns: 100, seed: 4, endOnFailure: true }),
      )
    },
  )
}

function selectorOf(
  how: Extract<Step, { kind: 'revoke' }>['how'],
  { jti, identity, subject }: { jti: string; identity: string; subject: string },
): Selector {
  if (how === 'all') {
    return { all: true }
  }
  if (how === 'jti') {
    return { jti }
  }
  if (how === 'cascade') {
    return { jti, cascade: true }
  }
  if (how === 'subject') {
    return { identity, subject }
  }
  return how === 'label' ? { identity, label: 'phone' } : { identity }
}

/** Returns the states of a receipt's parts, sorted. */
async function realReceipt(registry: Registry, id: string): Promise<unknown> {
  const { complete, nodes: list, auths } = await getReceipt(registry, id)
  const parts = [
    ...list.map(({ node: name, state }) => `${name} ${state}`),
    ...auths.map(({ auth, state }) => `(auth)${auth} ${state}`),
  ]
  return { complete, nodes: parts.sort() }
}

/** Returns the same for the simulated registry. A node has the worst state of its parts. */
function receiptOf(host: RegistryHost, id: string): unknown {
  const states = new Map<string, string>()
  for (const { data } of host.partitions) {
    for (const [part, state] of data.receipts.get(id)?.parts ?? []) {
      const known = states.get(part)
      const worse = known === 'pending' || (known === 'fenced' && state === 'acked')
      states.set(part, worse ? known : state)
    }
  }
  return {
    complete: ![...states.values()].includes('pending'),
    nodes: [...states]
      .map(([part, state]) => `${part.slice(part.indexOf(':') + 1)} ${state}`)
      .sort(),
  }
}
