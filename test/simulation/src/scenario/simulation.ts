import { encodePublication, JsonText } from '@portcullis/protocol'
import { type Parts, productionParts } from '../parts.js'
import { partitionOf } from '../production.js'
import type { SimulatedToken } from '../registry/registry.js'
import type { AuthRequest } from '../services/auth.js'
import { Client, channel } from '../services/client.js'
import type { SimulatedNode } from '../services/node.js'
import { enter } from '../world/globals.js'
import { History } from '../world/history.js'
import { World } from '../world/world.js'
import { type Action, describe, leaseMs } from './action.js'
import { Faults } from './faults.js'
import { Installation } from './installation.js'
import { Broken, Invariants } from './invariants.js'
import { type Scenario, scenarioOf } from './scenario.js'

const publicationMs = 40
/** How long a client may take to reconnect, in milliseconds. */
const maxReconnectMs = 1500

export interface SimulationOptions {
  seed: string
  parts?: Parts
  /** Keeps the history. Default: no. */
  verbose?: boolean
}

export interface Outcome {
  seed: string
  broken: Broken | Error | undefined
  history: readonly string[]
  counts: ReadonlyMap<string, number>
}

/** Plays one seed to its end, or until an invariant is broken. */
export async function simulate({
  seed,
  parts = productionParts,
  verbose = false,
}: SimulationOptions): Promise<Outcome> {
  const history = new History(verbose)
  const world = new World({ seed, history })
  const fail = (error: unknown): void =>
    world.fail(error instanceof Error ? error : new Error(String(error)))
  process.on('unhandledRejection', fail)
  enter(world)
  let broken: Error | undefined
  try {
    const scenario = scenarioOf(seed)
    const simulation = new Simulation(world, scenario, parts)
    simulation.begin()
    await world.run(scenario.endMs)
    simulation.judge()
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error))
  } finally {
    enter(undefined)
    process.off('unhandledRejection', fail)
  }
  return { seed, broken, history: history.lines, counts: history.counts }
}

class Simulation {
  readonly #world: World
  readonly #scenario: Scenario
  readonly #hosts: Installation
  readonly #faults: Faults
  readonly #invariants: Invariants
  readonly #clients = new Map<number, Client>()
  #revocations = 0

  constructor(world: World, scenario: Scenario, parts: Parts) {
    this.#world = world
    this.#scenario = scenario
    const { partitions, auths } = scenario
    const invariants = new Invariants({ world, partitions, leaseMs, auths })
    const hosts = new Installation({ world, scenario, parts, invariants })
    this.#invariants = invariants
    this.#hosts = hosts
    this.#faults = new Faults({ world, scenario, invariants, hosts })
  }

  begin(): void {
    const { auths, nodes, tokens, actions } = this.#scenario
    for (const token of tokens) {
      this.#hosts.issue(token)
    }
    this.#faults.do({ at: 0, kind: 'back up' })
    for (const name of auths) {
      this.#hosts.startAuth(name)
    }
    for (const name of nodes) {
      this.#hosts.startNode(name)
    }
    this.#hosts.broker.publishEvery(channel, publicationMs, () =>
      encodePublication({ data: JsonText.of({ from: 'server' }) }),
    )
    for (const action of actions) {
      this.#world.schedule(action.at, () => {
        this.#world.note('scenario', () => describe(action))
        this.#do(action)
      })
    }
  }

  /** Checks the end state, after a time without faults. */
  judge(): void {
    for (const { stats } of this.#hosts.allNodes) {
      this.#world.history.count('resyncs', stats.resyncs)
      this.#world.history.count('reconnects', stats.feedReconnects)
      this.#world.history.count('callers reused', stats.callersReused)
    }
    for (const client of this.#clients.values()) {
      const token = client.connectedWith
      if (token !== undefined && this.#hosts.revoked(token)) {
        throw new Broken('the end', `${client.name} is still connected with ${token.jti}`)
      }
      if (this.#mayBeAway(client)) {
        continue
      }
      if (client.awayMs > maxReconnectMs) {
        throw new Broken('the end', `${client.name} is not connected with ${client.token.jti}`)
      }
    }
  }

  #mayBeAway(client: Client): boolean {
    return client.over || this.#hosts.doubtful.has(client.token.jti)
  }

  #do(action: Action): void {
    switch (action.kind) {
      case 'connect':
        this.#connect(action.client, action.token)
        break
      case 'refresh':
        this.#clients.get(action.client)?.refresh(this.#hosts.token(action.token))
        break
      case 'vanish':
        this.#clients.get(action.client)?.vanish()
        break
      case 'issue': {
        if (this.#hosts.registry.process.killed) {
          break
        }
        this.#hosts.issue(action.token)
        this.#connect(1000 + this.#hosts.tokens.size, action.token.jti)
        break
      }
      case 'revoke':
        this.#revoke(action)
        break
      case 'call':
        this.#call(action)
        break
      default:
        this.#faults.do(action)
    }
  }

  #connect(number: number, jti: string): void {
    const client = new Client(
      `client-${number + 1}`,
      {
        world: this.#world,
        pickNode: (random) => this.#hosts.pickNode(random),
        tokenOf: (text) => this.#hosts.token(text),
        crosses: (who, how, token) => this.#invariants.crosses(who, how, token),
        closed: (who, node, code, token) => this.#closed(who, node, code, token),
      },
      this.#hosts.token(jti),
    )
    this.#clients.set(number, client)
    client.connect()
  }

  /** Fails the run if a connection was closed without a reason. */
  #closed(client: Client, node: SimulatedNode, code: number, token: SimulatedToken): void {
    this.#world.history.count(`closed ${code}`)
    const revoked =
      this.#hosts.doubtful.has(token.jti) || this.#hosts.doubtful.has(client.token.jti)
    const leaseLost = node.stats.leasesLost > 0
    const { killed } = node.process
    const reason =
      code === 4500 || code === 3500
        ? revoked
        : code === 4000
          ? leaseLost
          : code === 1006
            ? killed || leaseLost || revoked || client.vanished
            : killed || node.leaving
    if (!reason) {
      this.#world.fail(
        new Broken('the end', `${node.name} closed ${client.name} without a reason: ${code}`),
      )
    }
  }

  #revoke({ selector, identity }: Extract<Action, { kind: 'revoke' }>, tries = 5): void {
    const id = `${'all' in selector ? 'all' : partitionOf(identity, this.#scenario.partitions)}-${`revocation${++this.#revocations}`.padEnd(22, '_')}`
    const admin = this.#world.process('admin')
    const request: AuthRequest = { kind: 'revoke', id, selector, identity }
    admin.event(0, () => {
      this.#hosts
        .request(admin, request, 600)
        .catch(() => ({ status: 503 }))
        .then(({ status }) => {
          this.#world.note('admin', `${id}: ${status}`)
          // The outcome is unknown: retry.
          if (status === 503 && tries > 1) {
            this.#world.schedule(100, () =>
              this.#revoke({ at: 0, kind: 'revoke', selector, identity }, tries - 1),
            )
          }
        })
    })
  }

  #call(action: Extract<Action, { kind: 'call' }>): void {
    const world = this.#world
    this.#hosts.call(action, (status) => {
      world.note('backend', () => `${action.token} is answered ${status}`)
      world.history.count(`calls: ${action.service} ${status}`)
    })
  }
}
