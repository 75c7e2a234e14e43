import { defined } from '@portcullis/contracts/defined'
import type { RevocationEvent, Selector } from '@portcullis/contracts/revocations'
import type { Network } from '../network/network.js'
import {
  type AskedAt,
  cursorParts,
  type FeedRead,
  type FeedRegistry,
  type FeedSource,
  type Joining,
  type Lease,
  leaseTimes,
  type NodeInstance,
  type OwnPartRegistry,
  partitionOf,
  RegistryError,
} from '../production.js'
import type { Process } from '../world/process.js'
import type { SimulatedCommands } from './commands.js'
import type { FeedEntry, Partition, SimulatedToken } from './registry.js'
import { RegistryConnection } from './registry-connection.js'
import type { RegistryHost } from './registry-host.js'

/** How long a wait for the feed blocks, in milliseconds. */
const blockMs = 250
const eventsAtOnce = 500

/**
 * The registry as one auth process reaches it. Has the verbs of `apps/auth/src/registry`, each with the
 * same scripts in the same order; each script travels over the simulated network.
 */
export class RegistryClient implements FeedRegistry {
  readonly #commands: RegistryConnection
  readonly #blocking: RegistryConnection
  readonly #partitions: number
  readonly #leaseMs: number

  constructor(
    process: Process,
    network: Network,
    host: RegistryHost,
    { leaseMs }: { leaseMs: number },
  ) {
    this.#commands = new RegistryConnection(process, network, host)
    this.#blocking = new RegistryConnection(process, network, host)
    this.#partitions = host.partitions.length
    this.#leaseMs = leaseMs
  }

  /** Runs scripts of production code. */
  get scripts(): SimulatedCommands {
    return this.#commands.scripts
  }

  get source(): FeedSource {
    return {
      read: (cursor) => this.readFeed(cursor, eventsAtOnce),
      end: () => this.#end(),
      news: (after, closing) => this.#blocking.wait({ after, blockMs }, closing),
      close: () => this.#blocking.close(),
    }
  }

  feedEnd(): Promise<string> {
    return this.#end()
  }

  async isActive({ jti, identity }: { jti: string; identity: string }): Promise<boolean> {
    const [found] = await this.introspect([{ jti, identity }])
    return found !== undefined
  }

  /** Introspects tokens, with one script per partition. */
  async introspect(
    asked: readonly { jti: string; identity: string }[],
  ): Promise<(SimulatedToken | undefined)[]> {
    const answers = new Array<SimulatedToken | undefined>(asked.length)
    const partitions = new Set(asked.map(({ identity }) => this.#partitionOf(identity)))
    await Promise.all(
      [...partitions].map(async (at) => {
        const found = await this.#in(at, (partition) =>
          asked.map(({ jti, identity }) => partition.introspect(jti, identity)),
        )
        for (const [index, token] of found.entries()) {
          if (token !== undefined) {
            answers[index] = token
          }
        }
      }),
    )
    return answers
  }

  async issue(order: Omit<SimulatedToken, 'issuedUs'>): Promise<SimulatedToken> {
    const at = this.#partitionOf(order.identity)
    const issued = await this.#in(at, (partition) => partition.issue(order))
    if (issued === 'parent_ended') {
      throw Object.assign(new Error('the parent has ended'), { code: issued })
    }
    return issued
  }

  /** Commits a revocation in the partition of its identity, or in every partition. */
  async revoke(id: string, selector: Selector, identity: string): Promise<void> {
    if ('all' in selector) {
      await this.#in(0, (partition) => partition.revoke(id, selector))
      const others = Array.from({ length: this.#partitions - 1 }, (_, at) => at + 1)
      await Promise.all(
        others.map((at) => this.#in(at, (partition) => partition.revoke(id, selector))),
      )
      return
    }
    await this.#in(this.#partitionOf(identity), (partition) => partition.revoke(id, selector))
  }

  /** Nodes of the simulation may have any name. */
  async nodeNames(): Promise<undefined> {
    await this.#in(0, () => undefined)
  }

  async joinNode(joining: Joining) {
    const { instance } = joining
    const first = await this.#join(0, joining)
    const { since } = first
    const others = this.#all.slice(1).map((at) => this.#join(at, { ...joining, since }))
    const replies = [first, ...(await Promise.all(others))]
    const replaced = replies.find(({ before }) => before !== '' && before !== instance)?.before
    return {
      cursor: replies.map(({ end }) => end).join(','),
      since,
      isNew: first.before !== instance,
      ...defined({ replaced }),
    }
  }

  async #join(at: number, joining: Joining) {
    const reply = await this.#in(at, (partition) => partition.join(joining))
    if (reply === 'node_replaced') {
      throw new RegistryError(reply, 'a later process has the name')
    }
    if (reply === 'node_name_taken') {
      throw new RegistryError(reply, 'another identity has the name')
    }
    return reply
  }

  async leaveNode({ node, instance }: NodeInstance): Promise<void> {
    await Promise.all(
      this.#all.map(async (at) => {
        const us = await this.#in(at, (partition) => partition.leave(node, instance))
        await this.#settle(at, { node, instance }, Number.MAX_SAFE_INTEGER, 'acked')
        if (us !== undefined) {
          await this.#in(at, (partition) => partition.forget(node, instance, us))
        }
      }),
    )
  }

  /** The verbs of `auth-part.ts`. */
  authPart(part: NodeInstance): OwnPartRegistry {
    const name = `${part.instance}:${part.node}`
    return {
      partitions: this.#partitions,
      join: (at) => this.#in(at, (partition) => partition.joinPart(name)),
      renew: (at, asked) => this.#in(at, (partition) => partition.renewPart(name, asked)),
      ack: (at, appliedUs) => this.#settle(at, part, appliedUs, 'acked'),
      leave: () => this.leaveNode(part),
    }
  }

  async setConnected(): Promise<void> {
    await this.#in(0, () => undefined)
  }

  async readFeed(cursor: string, limit: number): Promise<FeedRead | 'lost'> {
    const parts = cursorParts(cursor)
    if (parts === undefined || parts.length !== this.#partitions) {
      return 'lost'
    }
    const reads = await Promise.all(
      parts.map((part, at) => this.#in(at, (partition) => partition.read(part, limit))),
    )
    const events: FeedEntry[] = []
    const ends: string[] = []
    for (const [at, read] of reads.entries()) {
      if (read === 'lost') {
        return 'lost'
      }
      events.push(...read)
      ends.push(read.at(-1)?.id ?? parts[at]?.id ?? '')
    }
    const revocations: RevocationEvent[] = events
      .sort((a, b) => a.us - b.us)
      .map(({ event }) => event)
    return { cursor: ends.join(','), revocations }
  }

  async ackRevocations(node: NodeInstance, _closed: unknown, cursor: string): Promise<void> {
    const parts = cursorParts(cursor)
    if (parts === undefined || parts.length !== this.#partitions) {
      throw new RegistryError('bad_cursor', 'not a cursor of this registry')
    }
    await Promise.all(parts.map(({ us }, at) => this.#settle(at, node, us, 'acked')))
  }

  async renewLease(
    { node, instance, since }: NodeInstance & { since: number },
    askedAt: readonly AskedAt[] = [],
  ) {
    const replies = await Promise.all(
      this.#all.map((at) => {
        const asked = askedAt[at]
        const us = cursorParts(asked?.end ?? '')?.[0]?.us ?? 0
        return this.#in(at, (partition) =>
          partition.renew(node, instance, since, asked && { us, run: asked.run }),
        )
      }),
    )
    if (replies.includes('node_replaced')) {
      throw new RegistryError('node_replaced', 'another process has the name')
    }
    if (replies.includes('node_not_joined')) {
      throw new RegistryError('node_not_joined', 'the node has to say hello again')
    }
    const counts = replies.filter((reply) => typeof reply !== 'string')
    return {
      counted: counts.every(({ counted }) => counted),
      cursor: counts.map(({ end }) => end).join(','),
      askedAt: counts.map(({ end, run }) => ({ end, run })),
      ttlMs: leaseTimes(this.#leaseMs).ttlMs,
    }
  }

  async readLeases() {
    const parts = await this.#everywhere((partition) => partition.leases())
    return {
      leases: parts.flatMap(({ leases }) => leases),
      ends: parts.flatMap(({ ends }) => ends),
      missing: [],
    }
  }

  fenceNode(lease: Lease, overdueUs?: number): Promise<number | undefined> {
    const { node, instance, partition: at } = lease
    return this.#in(at, (partition) => partition.fence(`${instance}:${node}`, lease, overdueUs))
  }

  async settleFenced(lease: Lease & { fencedUs: number }): Promise<void> {
    await this.#settle(lease.partition, lease, lease.fencedUs, 'fenced')
  }

  async forgetNode({ node, instance, partition: at, fencedUs }: Lease & { fencedUs: number }) {
    await this.#in(at, (partition) => partition.forget(node, instance, fencedUs))
  }

  close(): void {
    this.#commands.close()
    this.#blocking.close()
  }

  async #end(): Promise<string> {
    return (await this.#everywhere((partition) => partition.end)).join(',')
  }

  /** Reads the revocations that wait for the node, then settles them in a second step. */
  async #settle(
    at: number,
    node: NodeInstance,
    appliedUs: number,
    state: 'acked' | 'fenced',
  ): Promise<void> {
    const part = `${node.instance}:${node.node}`
    const ids = await this.#in(at, (partition) => partition.pending(part, appliedUs))
    await this.#in(at, (partition) => partition.settle(node, ids, state))
  }

  get #all(): number[] {
    return Array.from({ length: this.#partitions }, (_, at) => at)
  }

  #partitionOf(identity: string): number {
    return partitionOf(identity, this.#partitions)
  }

  #in<Result>(at: number, run: (partition: Partition) => Result): Promise<Result> {
    return this.#commands.run((partitions) => {
      const partition = partitions[at]
      if (partition === undefined) {
        throw new Error(`there is no partition ${at}`)
      }
      return run(partition)
    })
  }

  #everywhere<Result>(run: (partition: Partition) => Result): Promise<Result[]> {
    return Promise.all(this.#all.map((at) => this.#in(at, run)))
  }
}
