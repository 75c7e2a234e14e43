import type { Delays } from '../network/network.js'
import { partitionOf } from '../production.js'
import { Random } from '../world/random.js'
import {
  type Action,
  faultsMs,
  healedAtMs,
  healedMs,
  settledMs,
  type TokenOrder,
  tokenId,
} from './action.js'
import { planCalls } from './plan-calls.js'
import { planClients } from './plan-clients.js'
import { planFaults } from './plan-faults.js'
import { planRace } from './plan-race.js'
import { planRevocations } from './plan-revocations.js'

export interface Scenario {
  seed: string
  partitions: number
  auths: readonly string[]
  nodes: readonly string[]
  clients: number
  feedMaxLength: number
  delays: Delays
  /** How fast the monotonic clock of each host runs. */
  rates: ReadonlyMap<string, number>
  /** Tokens that exist from the start. */
  tokens: readonly TokenOrder[]
  actions: readonly Action[]
  endMs: number
}

/** The rates of two clocks differ by up to a twentieth; the lease allows for that. */
const maxDrift = 0.024
const maxStoreDrift = 0.01

/** Returns the scenario of a seed. */
export function scenarioOf(seed: string): Scenario {
  const random = new Random(`${seed}/scenario`)
  const partitions = random.chance(0.3) ? 2 : 1
  const auths = names('auth', random.whole(1, 2) + (random.chance(0.2) ? 1 : 0))
  const nodes = names('node', random.whole(1, 2) + (random.chance(0.2) ? 1 : 0))
  const clients = random.whole(2, 6)
  const tokens = tokenOrders(random, partitions, clients)
  const rates = new Map(
    [...auths, ...nodes].map((host) => [host, random.between(1 - maxDrift, 1 + maxDrift)]),
  )
  rates.set('broker', random.between(1 - maxStoreDrift, 1 + maxStoreDrift))
  // Half of the seeds spare auth and the registry: then every receipt must complete within the lease.
  const central = random.chance(0.5)
  const faults = planFaults(random, auths, nodes, central)
  const revocations = planRevocations(random, tokens, faults)
  const clientActions = planClients(random, clients, tokens, revocations)
  const calls = planCalls(random, tokens.slice(clients), revocations, faults)
  const hosts = central ? [...nodes, ...auths] : nodes
  const race = planRace(random, tokens.slice(clients), hosts, faults)
  const actions = [...faults, ...revocations, ...clientActions, ...calls, ...race]
    .map((action) => ('ms' in action ? { ...action, ms: untilHealed(action) } : action))
    .sort((a, b) => a.at - b.at)
  return {
    seed,
    partitions,
    auths,
    nodes,
    clients,
    feedMaxLength: random.chance(0.25) ? random.whole(1, 3) : 1000,
    delays: random.pick(profiles),
    rates,
    tokens,
    actions,
    endMs: settledMs + faultsMs + healedMs,
  }
}

function untilHealed({ kind, at, ms }: Extract<Action, { ms: number }>): number {
  return kind === 'step clock' ? ms : Math.max(0, Math.min(ms, healedAtMs - at))
}

const profiles: readonly Delays[] = [
  { min: 0.05, max: 0.3, lost: 0, retransmitMs: 0 },
  { min: 0.1, max: 3, lost: 0, retransmitMs: 0 },
  { min: 0.2, max: 15, lost: 0.03, retransmitMs: 200 },
]

function names(what: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${what}-${at + 1}`)
}

function tokenOrders(random: Random, partitions: number, clients: number): TokenOrder[] {
  const identities = ['shop0', 'bank1', 'club2'].slice(0, random.whole(1, 3))
  const orders: TokenOrder[] = []
  for (let at = 0; at < clients + 3; at++) {
    const identity = random.pick(identities)
    // Two of three tokens are issued by an earlier token of their identity: chains and short trees.
    const parent =
      at % 3 === 0 ? undefined : orders.findLast((order) => order.identity === identity)
    orders.push({
      jti: tokenId(partitionOf(identity, partitions), `token${at + 1}`),
      identity,
      // The last three are tokens of services, which call the APIs.
      subject: at < clients ? random.pick(['ada', 'bob']) : identity,
      labels: random.chance(0.4) ? ['phone'] : [],
      parents: parent === undefined ? [] : [parent.jti, ...parent.parents],
    })
  }
  return orders
}
