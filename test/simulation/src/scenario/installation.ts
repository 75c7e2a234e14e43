import { HttpRequest } from '../network/http.js'
import { type Delays, Network } from '../network/network.js'
import { SimulatedWebSocket } from '../network/web-socket.js'
import type { Parts } from '../parts.js'
import { leaseTimes, partitionOf } from '../production.js'
import { covers, type Partition, type SimulatedToken } from '../registry/registry.js'
import { RegistryHost } from '../registry/registry-host.js'
import type { AuthAnswer, AuthRequest, AuthWrite } from '../services/auth.js'
import { SimulatedAuth } from '../services/auth.js'
import type { AuthReach } from '../services/auth-reach.js'
import { Broker } from '../services/broker.js'
import { channel } from '../services/client.js'
import { SimulatedNode } from '../services/node.js'
import type { Process } from '../world/process.js'
import type { Random } from '../world/random.js'
import type { World } from '../world/world.js'
import { leaseMs, tokenId } from './action.js'
import type { Invariants } from './invariants.js'
import type { Scenario } from './scenario.js'

/** Redis is close: within a lease it has a twentieth of the lease to answer. */
const redisDelays: Delays = { min: 0.05, max: 0.8, lost: 0, retransmitMs: 0 }
const nodeIdentity = 'nodes9'

/** A request over HTTP with a token. */
export interface Call {
  service: 'node' | 'auth'
  host?: string | undefined
  token: string
  pieces: readonly number[]
  write: AuthWrite
}

export interface InstallationOptions {
  world: World
  scenario: Scenario
  parts: Parts
  invariants: Invariants
}

/** The hosts and their network: two Redis, auth processes behind one address, nodes. */
export class Installation {
  readonly network: Network
  readonly registry: RegistryHost
  readonly broker: Broker
  readonly auths = new Map<string, SimulatedAuth>()
  /** The latest process of each name. */
  readonly nodes = new Map<string, SimulatedNode>()
  /** Every process, including those whose name a later one has taken. */
  readonly allNodes: SimulatedNode[] = []
  /** Every token ever issued. */
  readonly tokens = new Map<string, SimulatedToken>()
  /** Tokens that a revocation covered at some time, or that the registry has lost. */
  readonly doubtful = new Set<string>()
  readonly #options: InstallationOptions
  readonly #world: World
  readonly #scenario: Scenario
  readonly #random: Random

  constructor(options: InstallationOptions) {
    const { world, scenario, parts, invariants } = options
    const { partitions, delays, feedMaxLength, rates } = scenario
    const { isTooLate } = parts
    this.#options = options
    this.#world = world
    this.#scenario = scenario
    this.#random = world.random('simulation')
    this.network = new Network(world, (from, to) =>
      [from, to].some((host) => host === 'registry' || host === 'broker') ? redisDelays : delays,
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
          if (covers(receipt, token)) {
            this.doubtful.add(token.jti)
          }
        }
        invariants.onReceipt(partition, receipt)
      },
      isTooLate,
      onEffect: (what, token) => {
        world.history.count(`effects: ${what}`)
        invariants.crosses('registry', `executes ${what}`, token)
      },
    })
    this.broker = new Broker({
      world,
      rate: rates.get('broker') ?? 1,
      isTooLate,
      onEffect: (token) => {
        world.history.count('publications')
        invariants.crosses('broker', 'takes a publication', token)
      },
    })
  }

  /** Starts a host, unless it runs. */
  start(host: string): void {
    if (this.process(host)?.killed === false) {
      return
    }
    if (host === 'broker') {
      this.broker.restart()
    } else if (host.startsWith('auth')) {
      this.startAuth(host)
    } else {
      this.startNode(host)
    }
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
        network: this.network,
        broker: this.broker,
        parts: this.#options.parts,
        tokenOf: (jti) => this.token(jti),
        onAct: (token) => this.#options.invariants.crosses(name, 'acts on a command', token),
      })
      this.nodes.set(name, node)
      this.allNodes.push(node)
    })
  }

  #newProcess(name: string): Process {
    const wallOffset = this.#random.between(-50, 50)
    return this.#world.process(name, this.#scenario.rates.get(name), wallOffset)
  }

  /** The nodes' ways to auth. */
  get reach(): AuthReach {
    return {
      request: (from, request, timeoutMs) => this.request(from, request, timeoutMs),
      dial: (from, token, handshakeMs) => {
        const auth = this.#pickAuth()
        const [near, far] = this.network.connect(from, auth.process)
        if (auth.ready) {
          auth.acceptFeed(far)
        } else {
          far.close()
        }
        return SimulatedWebSocket.dial(near, token, handshakeMs)
      },
    }
  }

  /** Sends a request to auth over HTTP. */
  request(from: Process, request: AuthRequest, timeoutMs: number): Promise<AuthAnswer> {
    return new Promise((resolve, reject) => {
      const auth = this.#pickAuth()
      const [near, far] = this.network.connect(from, auth.process)
      if (auth.ready) {
        auth.acceptRequest(far)
      } else {
        far.close()
      }
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

  /** Returns an auth; the load balancer picks a ready one, with rare exceptions. */
  #pickAuth(): SimulatedAuth {
    const all = [...this.auths.values()]
    const ready = all.filter((auth) => auth.ready)
    return this.#random.pick(ready.length > 0 && this.#random.chance(0.95) ? ready : all)
  }

  /** Sends a request with a token, whose body arrives in pieces. Default host: the load balancer's choice. */
  call({ service, host, token, pieces, write }: Call, answered: (status: number) => void): void {
    const { IncomingHead } = this.#options.parts
    const random = this.#random
    if (service === 'node') {
      const node = (host === undefined ? undefined : this.nodes.get(host)) ?? this.pickNode(random)
      if (node === undefined || node.process.killed) {
        answered(0)
        return
      }
      node.process.event(random.between(0.1, 4), () => {
        const http = new HttpRequest(node.process, token, pieces, answered, IncomingHead)
        void node.publish(http, channel)
      })
      return
    }
    const auth = (host === undefined ? undefined : this.auths.get(host)) ?? this.#pickAuth()
    auth.process.event(random.between(0.1, 4), () => {
      const http = new HttpRequest(auth.process, token, pieces, answered, IncomingHead)
      void auth.call(http, write)
    })
  }

  /** Returns a running node; the load balancer picks a ready one, with some exceptions. */
  pickNode(random: Random): SimulatedNode | undefined {
    const running = this.allNodes.filter((node) => !node.process.killed)
    const ready = running.filter((node) => this.#world.as(node.process, () => node.watch.inSync))
    const candidates = ready.length > 0 && random.chance(0.85) ? ready : running
    return candidates.length === 0 ? undefined : random.pick(candidates)
  }

  /** Returns the latest process of a host. */
  process(host: string): Process | undefined {
    if (host === 'registry') {
      return this.registry.process
    }
    if (host === 'broker') {
      return this.broker.process
    }
    return (this.auths.get(host) ?? this.nodes.get(host))?.process
  }

  /** Issues a token directly in the registry. */
  issue(order: Omit<SimulatedToken, 'issuedUs'>): SimulatedToken {
    const token = this.partition(order.identity).issue(order)
    if (token === 'parent_ended') {
      throw new Error(`${order.parents[0]} has ended`)
    }
    this.tokens.set(token.jti, token)
    return token
  }

  token(jti: string): SimulatedToken {
    const token = this.tokens.get(jti)
    if (token === undefined) {
      throw new Error(`no token ${jti}`)
    }
    return token
  }

  /** Returns true if the registry knows the token and the token is inactive. A lost token is not revoked. */
  revoked({ jti, identity }: SimulatedToken): boolean {
    const partition = this.partition(identity)
    return partition.data.tokens.has(jti) && partition.introspect(jti, identity) === undefined
  }

  partition(identity: string): Partition {
    const { partitions } = this.registry
    const partition = partitions[partitionOf(identity, partitions.length)]
    if (partition === undefined) {
      throw new Error('no such partition')
    }
    return partition
  }
}
