import { defined } from '@portcullis/contracts/defined'
import type { RevocationEvent, Selector } from '@portcullis/contracts/revocations'
import type { End, Network, Receiver } from '../network/network.js'
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
import { leaseMs } from '../scenario/scenario.js'
import type { Process } from '../world/process.js'
import { isTime, type ScriptCall, SimulatedCommands } from './commands.js'
import type { FeedEntry, Partition, SimulatedToken } from './registry.js'
import type { Answer, Command, RegistryHost, Wait } from './registry-host.js'

/** As `packages/redis` has them, in milliseconds; short, as everything here is. */
const commandTimeoutMs = 400
const reconnectMs = { least: 20, most: 200 }
const blockMs = 250
const deafMs = 1000
const eventsAtOnce = 500

/** A Redis, whatever it keeps. */
interface Store {
  readonly process: Process
  accept(end: End): void
  evaluate(call: ScriptCall): unknown
}

/** One connection of a process to a Redis, which comes back by itself. */
export class RegistryConnection implements Receiver {
  /** What production code uses of the connection to run scripts. */
  readonly scripts: SimulatedCommands
  readonly #process: Process
  readonly #network: Network
  readonly #host: Store
  #end: End | undefined
  #number = 0
  readonly #open = new Map<number, (answer: Answer | Error) => void>()
  #closed = false

  constructor(process: Process, network: Network, host: Store) {
    this.#process = process
    this.#network = network
    this.#host = host
    this.scripts = new SimulatedCommands(async (call) => {
      const reply = await this.run(() => host.evaluate(call), call.by !== undefined)
      // As in production, a reading of Redis' clock is used for half a lease.
      if (isTime(call)) {
        process.setTimeout(() => this.scripts.emit('close'), leaseMs / 2)
      }
      return reply
    })
    this.#dial()
  }

  /** Sends a command, in order. Fails at once while there is no connection, and when it takes long. */
  run<Result>(
    command: (partitions: readonly Partition[]) => Result,
    isEffect = false,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#end === undefined) {
        return reject(unavailable('not connected'))
      }
      const number = this.#number++
      const late = this.#process.setTimeout(
        () => this.#settle(number, unavailable('timed out')),
        commandTimeoutMs,
      )
      this.#open.set(number, (answer) => {
        late.cancel()
        if (answer instanceof Error) {
          reject(answer)
        } else {
          resolve(answer.result as Result)
        }
      })
      const end = this.#end
      const send = (): void => end.send({ number, run: command } satisfies Command)
      if (isEffect) {
        this.#process.sendEffect(send)
      } else {
        send()
      }
    })
  }

  /** Resolves when there may be news, when the connection has broken, or after a while. */
  wait(wait: Wait, closing: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        late.cancel()
        closing.removeEventListener('abort', done)
        this.#open.delete(-1)
        resolve()
      }
      const late = this.#process.setTimeout(() => {
        // Deaf: it connects again.
        this.#end?.close()
        this.#lost()
        done()
      }, deafMs)
      closing.addEventListener('abort', done)
      this.#open.set(-1, done)
      this.#end?.send(wait)
    })
  }

  close(): void {
    this.#closed = true
    this.#end?.close()
  }

  received(message: unknown): void {
    const answer = message as Answer
    this.#settle(answer.number ?? -1, answer)
  }

  ended(): void {
    this.#lost()
  }

  #settle(number: number, answer: Answer | Error): void {
    const open = this.#open.get(number)
    this.#open.delete(number)
    open?.(answer)
  }

  #dial(): void {
    const { process } = this.#host
    if (process.killed) {
      this.#again()
      return
    }
    const [near, far] = this.#network.connect(this.#process, process)
    far.receiver = undefined
    this.#host.accept(far)
    near.receiver = this
    this.#end = near
  }

  #lost(): void {
    this.#end = undefined
    this.scripts.emit('close')
    for (const number of [...this.#open.keys()]) {
      this.#settle(number, unavailable('connection lost'))
    }
    this.#again()
  }

  #again(): void {
    if (this.#closed) {
      return
    }
    const ms = this.#process.random.between(reconnectMs.least, reconnectMs.most)
    this.#process.setTimeout(() => this.#dial(), ms)
  }
}

function unavailable(why: string): RegistryError {
  return new RegistryError('registry_unavailable', `the registry does not answer: ${why}`)
}

/**
 * The registry as one auth process reaches it: the verbs of `apps/auth/src/registry`, each made of
 * the same scripts in the same order, with the network between any two of them.
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

  /** Tokens in one question for each partition that has one. */
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

  /** Commits a revocation, in the partition of its identity or in all. */
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

  /** Looks up what waits for the node, and settles it in a second step. */
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
