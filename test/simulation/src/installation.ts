import type { AuthAnswer, AuthRequest } from './auth.js'
import { SimulatedAuth } from './auth.js'
import { Bus } from './bus.js'
import type { Invariants } from './invariants.js'
import { type Delays, Network } from './network.js'
import { type AuthReach, SimulatedNode } from './node.js'
import type { Parts } from './parts.js'
import type { Process } from './process.js'
import { leaseTimes } from './production.js'
import type { Random } from './random.js'
import { covers, type Partition, type SimulatedToken } from './registry.js'
import { partitionOf } from './registry-client.js'
import { RegistryHost } from './registry-host.js'
import { leaseMs, type Scenario, tokenId } from './scenario.js'
import { SimulatedWebSocket } from './web-socket.js'
import type { World } from './world.js'

/** Redis is near: a lease leaves it a twentieth to answer. */
const nearRegistry: Delays = { least: 0.05, most: 0.8, lost: 0, againMs: 0 }
const nodeIdentity = 'nodes9'

export interface InstallationOptions {
  world: World
  scenario: Scenario
  parts: Parts
  invariants: Invariants
  /** A node takes a publication of one of its connections. */
  onPublish: (node: string, bytes: Buffer) => void
}

/** The hosts and what connects them: the registry, auth processes behind one address, nodes. */
export class Installation {
  readonly network: Network
  readonly registry: RegistryHost
  readonly bus: Bus
  readonly auths = new Map<string, SimulatedAuth>()
  /** By name, the one that was started last. */
  readonly nodes = new Map<string, SimulatedNode>()
  /** Also those whose name another has taken. */
  readonly allNodes: SimulatedNode[] = []
  /** Every token ever issued. */
  readonly tokens = new Map<string, SimulatedToken>()
  /** Tokens that a revocation has ever covered, or that the registry has lost. */
  readonly doubtful = new Set<string>()
  readonly #options: InstallationOptions
  readonly #world: World
  readonly #scenario: Scenario
  readonly #random: Random

  constructor(options: InstallationOptions) {
    const { world, scenario, invariants, parts } = options
    const { partitions, delays, feedMaxLength } = scenario
    this.#options = options
    this.#world = world
    this.#scenario = scenario
    this.#random = world.random('simulation')
    this.network = new Network(world, (from, to) =>
      from === 'registry' || to === 'registry' ? nearRegistry : delays,
    )
    this.registry = new RegistryHost({
      world,
      network: this.network,
      partitions,
      feedMaxLength,
      fenceMs: leaseTimes(leaseMs).fenceMs,
      markOf: parts.markOf,
      onReceipt: (partition, receipt) => {
        for (const token of this.tokens.values()) {
          if (covers(receipt, token)) this.doubtful.add(token.jti)
        }
        invariants.onReceipt(partition, receipt)
      },
    })
    this.bus = new Bus(world)
  }

  /** Starts a host that does not run. */
  start(host: string): void {
    if (this.process(host)?.killed === false) return
    if (host.startsWith('auth')) this.startAuth(host)
    else this.startNode(host)
  }

  startAuth(name: string): void {
    const auth = new SimulatedAuth({
      process: this.#newProcess(name),
      network: this.network,
      registry: this.registry,
      leaseMs,
      parts: this.#options.parts,
      nodeIdentity,
      issue: async (registry) => {
        const partition = partitionOf(nodeIdentity, this.#scenario.partitions)
        const jti = tokenId(partition, `node${this.tokens.size}`)
        const order = { jti, identity: nodeIdentity, subject: 'node', labels: [], parents: [] }
        const token = await registry.issue(order)
        this.tokens.set(jti, token)
        return jti
      },
      tokenOf: (text) => this.tokens.get(text),
    })
    this.auths.set(name, auth)
  }

  startNode(name: string): void {
    const process = this.#newProcess(name)
    process.event(0, () => {
      const node = new SimulatedNode({
        process,
        name,
        auth: this.reach,
        bus: this.bus,
        parts: this.#options.parts,
        onPublish: (bytes) => this.#options.onPublish(name, bytes),
      })
      this.nodes.set(name, node)
      this.allNodes.push(node)
    })
  }

  #newProcess(name: string): Process {
    const wallOffset = this.#random.between(-50, 50)
    return this.#world.process(name, this.#scenario.rates.get(name), wallOffset)
  }

  /** How nodes get to auth. */
  get reach(): AuthReach {
    return {
      request: (from, request, timeoutMs) => this.request(from, request, timeoutMs),
      dial: (from, token, handshakeMs) => {
        const auth = this.#pickAuth()
        const [near, far] = this.network.connect(from, auth.process)
        if (auth.ready) auth.acceptFeed(far)
        else far.close()
        return SimulatedWebSocket.dial(near, token, handshakeMs)
      },
    }
  }

  /** A request to auth over HTTP. */
  request(from: Process, request: AuthRequest, timeoutMs: number): Promise<AuthAnswer> {
    return new Promise((resolve, reject) => {
      const auth = this.#pickAuth()
      const [near, far] = this.network.connect(from, auth.process)
      if (auth.ready) auth.acceptRequest(far)
      else far.close()
      const late = from.setTimeout(() => {
        near.close()
        reject(new Error('no answer in time'))
      }, timeoutMs)
      near.receiver = {
        received: (answer) => {
          late.cancel()
          near.close()
          resolve(answer as AuthAnswer)
        },
        ended: () => {
          late.cancel()
          reject(new Error('the connection has ended'))
        },
      }
      near.send(request)
    })
  }

  /** The load balancer knows mostly, not always, who is gone. */
  #pickAuth(): SimulatedAuth {
    const all = [...this.auths.values()]
    const ready = all.filter((auth) => auth.ready)
    return this.#random.pick(ready.length > 0 && this.#random.chance(0.95) ? ready : all)
  }

  /** A node that runs; the load balancer mostly knows which are ready. */
  pickNode(random: Random): SimulatedNode | undefined {
    const running = this.allNodes.filter((node) => !node.process.killed)
    const ready = running.filter((node) => this.#world.as(node.process, () => node.watch.inSync))
    const some = ready.length > 0 && random.chance(0.85) ? ready : running
    return some.length === 0 ? undefined : random.pick(some)
  }

  /** The process of a host that was started last. */
  process(host: string): Process | undefined {
    if (host === 'registry') return this.registry.process
    return (this.auths.get(host) ?? this.nodes.get(host))?.process
  }

  /** Issues a token, at once. */
  issue(order: Omit<SimulatedToken, 'issuedUs'>): SimulatedToken {
    const token = this.partition(order.identity).issue(order)
    if (token === 'parent_ended') throw new Error(`${order.parents[0]} has ended`)
    this.tokens.set(token.jti, token)
    return token
  }

  token(jti: string): SimulatedToken {
    const token = this.tokens.get(jti)
    if (token === undefined) throw new Error(`there is no token ${jti}`)
    return token
  }

  /** Known to the registry, and not active. One that only lost writes knew was never revoked. */
  revoked({ jti, identity }: SimulatedToken): boolean {
    const partition = this.partition(identity)
    return partition.data.tokens.has(jti) && partition.introspect(jti, identity) === undefined
  }

  partition(identity: string): Partition {
    const { partitions } = this.registry
    const partition = partitions[partitionOf(identity, partitions.length)]
    if (partition === undefined) throw new Error('there is no such partition')
    return partition
  }
}
