import type { Selector } from '@portcullis/contracts/revocations'
import type { Delays } from '../network/network.js'
import { partitionOf } from '../production.js'
import { Random } from '../world/random.js'

/** Times in milliseconds. */
export const leaseMs = 1000
/** Nothing goes wrong before. */
const settledMs = 250
const faultsMs = 3200
/** Everything is well from here on. */
export const healedAtMs = settledMs + faultsMs
/** How long everything is well at the end: a lease, and time to come back. */
const healedMs = 2200

/** What is done to the world, and when. */
export type Action = { at: number } & (
  | { kind: 'connect'; client: number; token: string }
  | { kind: 'refresh'; client: number; token: string }
  | { kind: 'vanish'; client: number }
  | { kind: 'issue'; token: TokenOrder }
  | { kind: 'revoke'; selector: Selector; identity: string }
  | ({ kind: 'call' } & CallOrder)
  | { kind: 'stop at effect'; host: string; ms: number }
  | { kind: 'stop'; host: string; ms: number }
  | { kind: 'kill'; host: string; lostPower: boolean; downMs: number }
  | { kind: 'leave'; host: string; downMs: number }
  | { kind: 'usurp'; host: string }
  | { kind: 'block'; from: string; to: string; ways: 'both' | 'there' | 'back'; ms: number }
  | { kind: 'break'; a: string; b: string; told: 'both' | 'a' | 'b' | 'none' }
  | { kind: 'back up' }
  /** `promoted`: the same Redis is the primary again, with what another one had. */
  | { kind: 'restart registry'; downMs: number; older: boolean; promoted?: boolean }
  | { kind: 'step clock'; ms: number }
)

/** A request over HTTP with a token, and how many milliseconds after another its pieces arrive. */
export interface CallOrder {
  service: 'node' | 'auth'
  /** Default: whichever the load balancer picks. */
  host?: string
  token: string
  pieces: readonly number[]
  write: { kind: 'issue' } | { kind: 'register'; identity: string }
}

export interface TokenOrder {
  jti: string
  identity: string
  subject: string
  labels: readonly string[]
  parents: readonly string[]
}

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
  /** Issued before anything happens. */
  tokens: readonly TokenOrder[]
  actions: readonly Action[]
  endMs: number
}

/** Clocks may differ by a twentieth: that is what the lease allows for. */
const mostDrift = 0.024
const mostStoreDrift = 0.01

/** The scenario of a seed. */
export function scenarioOf(seed: string): Scenario {
  const random = new Random(`${seed}/scenario`)
  const partitions = random.chance(0.3) ? 2 : 1
  const auths = names('auth', random.whole(1, 2) + (random.chance(0.2) ? 1 : 0))
  const nodes = names('node', random.whole(1, 2) + (random.chance(0.2) ? 1 : 0))
  const clients = random.whole(2, 6)
  const tokens = tokenOrders(random, partitions, clients)
  const rates = new Map(
    [...auths, ...nodes].map((host) => [host, random.between(1 - mostDrift, 1 + mostDrift)]),
  )
  rates.set('broker', random.between(1 - mostStoreDrift, 1 + mostStoreDrift))
  // Half of the seeds leave auth and the registry alone: then every receipt has the lease, no more.
  const central = random.chance(0.5)
  const faults = faultsOf(random, auths, nodes, central)
  const revocations = revocationsOf(random, tokens, faults)
  const clientActions = clientsOf(random, clients, tokens, revocations)
  const calls = callsOf(random, tokens.slice(clients), revocations, faults)
  const hosts = central ? [...nodes, ...auths] : nodes
  const race = racesOf(random, tokens.slice(clients), hosts, faults)
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
  { least: 0.05, most: 0.3, lost: 0, againMs: 0 },
  { least: 0.1, most: 3, lost: 0, againMs: 0 },
  { least: 0.2, most: 15, lost: 0.03, againMs: 200 },
]

function names(what: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${what}-${at + 1}`)
}

/** A jti says its partition. */
export function tokenId(partition: number, name: string): string {
  return `${partition}-${name.padEnd(22, '_')}`
}

function tokenOrders(random: Random, partitions: number, clients: number): TokenOrder[] {
  const identities = ['shop0', 'bank1', 'club2'].slice(0, random.whole(1, 3))
  const orders: TokenOrder[] = []
  for (let at = 0; at < clients + 3; at++) {
    const identity = random.pick(identities)
    // Two of three are issued by the one before them of their identity: chains and short trees.
    const parent = at % 3 === 0 ? undefined : orders.findLast((one) => one.identity === identity)
    orders.push({
      jti: tokenId(partitionOf(identity, partitions), `token${at + 1}`),
      identity,
      // The last are tokens of services, which call the APIs.
      subject: at < clients ? random.pick(['ada', 'bob']) : identity,
      labels: random.chance(0.4) ? ['phone'] : [],
      parents: parent === undefined ? [] : [parent.jti, ...parent.parents],
    })
  }
  return orders
}

function faultsOf(
  random: Random,
  auths: readonly string[],
  nodes: readonly string[],
  central: boolean,
): Action[] {
  const count = random.whole(0, 7)
  const faults = Array.from({ length: count }, () => faultOf(random, auths, nodes, central)).flat()
  const wentBack = faults.some((fault) => fault.kind === 'restart registry' && fault.older)
  // A Redis that loses writes while its clock is set back may give a lost event's position again, to
  // another event: positions tell time. The guarantee asks for one or the other to be sound.
  return faults.filter((fault) => !wentBack || fault.kind !== 'step clock' || fault.ms > 0)
}

function faultOf(
  random: Random,
  auths: readonly string[],
  nodes: readonly string[],
  central: boolean,
): Action[] {
  const at = settledMs + random.between(0, faultsMs)
  const left = settledMs + faultsMs - at
  // Short ones, ones about as long as the lease, long ones.
  const ms = Math.min(
    left,
    random.pick([random.between(1, 100), random.between(600, 1100), random.between(1, 2500)]),
  )
  const node = random.pick(nodes)
  const auth = random.pick(auths)
  const nodeFaults: (() => Action[])[] = [
    () => [{ at, kind: 'stop', host: node, ms }],
    () => flapping(random, node, at, left),
    () => lateAnswer(random, node, at),
    () => lateAnswer(random, node, at),
    () => [{ at, kind: 'kill', host: node, lostPower: random.chance(0.3), downMs: ms }],
    () => [{ at, kind: 'block', from: node, to: auth, ways: waysOf(random), ms }],
    () => [{ at, kind: 'block', from: node, to: '*', ways: waysOf(random), ms }],
    () => [{ at, kind: 'break', a: node, b: auth, told: random.pick(told) }],
    () => [{ at, kind: 'leave', host: node, downMs: ms }],
    () => [{ at, kind: 'usurp', host: node }],
    () => [{ at, kind: 'stop at effect', host: node, ms }],
    () => [{ at, kind: 'stop at effect', host: node, ms }],
    () => [{ at, kind: 'block', from: node, to: 'broker', ways: waysOf(random), ms }],
    () => brokerFault(random, node, at, ms),
  ]
  const centralFaults: (() => Action[])[] = [
    () => [{ at, kind: 'stop', host: auth, ms }],
    () => [{ at, kind: 'kill', host: auth, lostPower: random.chance(0.3), downMs: ms }],
    () => [{ at, kind: 'leave', host: auth, downMs: ms }],
    () => [{ at, kind: 'stop at effect', host: auth, ms }],
    () => [{ at, kind: 'stop at effect', host: auth, ms }],
    () => [{ at, kind: 'block', from: auth, to: 'registry', ways: waysOf(random), ms }],
    () => [{ at, kind: 'break', a: auth, b: 'registry', told: random.pick(told) }],
    () => [{ at, kind: 'stop', host: 'registry', ms: Math.min(ms, 800) }],
    () => [{ at, kind: 'restart registry', downMs: Math.min(ms, 800), older: false }],
    () => [
      { at: Math.max(settledMs, at - random.between(1, 800)), kind: 'back up' },
      { at, kind: 'restart registry', downMs: Math.min(ms, 800), older: true },
    ],
    () => failBack(random, node, at),
    () => lateRenewal(random, auth, node, at),
    () => lateRenewal(random, auth, node, at),
    () => [{ at, kind: 'step clock', ms: random.between(-3000, 3000) }],
  ]
  return random.pick(central && random.chance(0.6) ? centralFaults : nodeFaults)()
}

/** Stopped again and again, with moments between. */
function flapping(random: Random, host: string, from: number, leftMs: number): Action[] {
  const actions: Action[] = []
  let at = from
  const end = from + Math.min(leftMs, random.between(200, 2500))
  while (at < end) {
    const ms = Math.min(end - at, random.between(20, 900))
    actions.push({ at, kind: 'stop', host, ms })
    at += ms + random.pick([0.01, 0.5, 20]) * random.between(0.5, 1.5)
  }
  return actions
}

/** Answers are on their way for long; then the node is cut off. */
function lateAnswer(random: Random, node: string, from: number): Action[] {
  const phase = (ways: 'both' | 'there' | 'back', at: number, ms: number): Action => ({
    at,
    kind: 'block',
    from: node,
    to: '*',
    ways,
    ms,
  })
  const lateMs = random.between(150, 290)
  const passMs = random.between(10, 40)
  return [
    phase('back', from, lateMs),
    phase('there', from + lateMs, passMs),
    phase('both', from + lateMs + passMs, random.between(900, 1500)),
  ]
}

/** A replica that knows a node as fenced is promoted, and the old primary after it, not restarted. */
function failBack(random: Random, node: string, from: number): Action[] {
  const awayMs = random.between(720, 900)
  const backUpAt = from + awayMs - random.between(1, 10)
  const at = from + awayMs + random.between(40, 300)
  return [
    { at: from, kind: 'block', from: node, to: '*', ways: 'both', ms: awayMs },
    { at: backUpAt, kind: 'back up' },
    { at, kind: 'restart registry', downMs: random.between(1, 20), older: true, promoted: true },
    // While the node may hold a lease that this Redis has never seen.
    {
      at: at + random.between(25, 250),
      kind: 'revoke',
      selector: { all: true },
      identity: 'shop0',
    },
  ]
}

/** What an auth process has sent to the registry is late, while one of its nodes stands still. */
function lateRenewal(random: Random, auth: string, node: string, at: number): Action[] {
  // A renewal is sent about every 220 ms.
  const ms = random.between(600, 1000)
  return [
    { at, kind: 'block', from: auth, to: 'registry', ways: 'there', ms },
    { at: at + random.between(150, 250), kind: 'stop', host: node, ms: random.between(1500, 2000) },
  ]
}

function brokerFault(random: Random, node: string, at: number, ms: number): Action[] {
  return random.pick<Action[]>([
    [{ at, kind: 'stop', host: 'broker', ms: Math.min(ms, 800) }],
    [{ at, kind: 'kill', host: 'broker', lostPower: false, downMs: Math.min(ms, 400) }],
    [{ at, kind: 'break', a: node, b: 'broker', told: random.pick(told) }],
  ])
}

const told = ['both', 'a', 'b', 'none'] as const

function waysOf(random: Random): 'both' | 'there' | 'back' {
  return random.pick(['both', 'both', 'there', 'back'])
}

function revocationsOf(
  random: Random,
  tokens: readonly TokenOrder[],
  faults: readonly Action[],
): Extract<Action, { kind: 'revoke' }>[] {
  return Array.from({ length: random.whole(1, 6) }, () => {
    const token = random.chance(0.4) ? random.pick(tokens.slice(-3)) : random.pick(tokens)
    const { identity } = token
    const near = faults.length > 0 && random.chance(0.6) ? random.pick(faults) : undefined
    const after = near !== undefined && 'ms' in near ? near.ms : 0
    const at =
      near === undefined
        ? settledMs + random.between(0, faultsMs)
        : near.at + random.pick([random.between(-30, 30), random.between(0, 0.7) * after])
    return {
      at: Math.max(settledMs, at),
      kind: 'revoke' as const,
      selector: selectorOf(random, token),
      identity,
    }
  })
}

function selectorOf(random: Random, { jti, identity, subject, labels }: TokenOrder): Selector {
  const [label = 'phone'] = labels
  if (random.chance(0.06)) {
    return { all: true }
  }
  return random.pick<Selector>([
    { jti },
    { jti },
    { jti, cascade: true },
    { identity, subject },
    { identity, label },
    { identity },
  ])
}

function clientsOf(
  random: Random,
  clients: number,
  tokens: readonly TokenOrder[],
  revocations: readonly Extract<Action, { kind: 'revoke' }>[],
): Action[] {
  const actions: Action[] = []
  for (let client = 0; client < clients; client++) {
    const token = random.pick(tokens)
    actions.push({
      at: random.between(20, 400),
      kind: 'connect',
      client,
      token: token.jti,
    })
    if (random.chance(0.3)) {
      actions.push({
        at: settledMs + random.between(0, faultsMs),
        kind: 'vanish',
        client,
      })
    }
    const next = tokens.find(
      ({ jti, identity, subject }) =>
        jti !== token.jti && identity === token.identity && subject === token.subject,
    )
    if (next !== undefined && random.chance(0.6)) {
      actions.push({
        at: settledMs + random.between(0, faultsMs),
        kind: 'refresh',
        client,
        token: next.jti,
      })
    }
  }
  // Clients that come just when their token is revoked.
  for (const { at, selector } of revocations) {
    const covered = tokens.filter((token) => mayCover(selector, token))
    const racers = random.chance(0.7) ? random.whole(1, 3) : 0
    for (let racer = 0; racer < racers && covered.length > 0; racer++) {
      actions.push({
        at: Math.max(0, at + random.between(-12, 6)),
        kind: 'connect',
        client: clients + actions.length,
        token: random.pick(covered).jti,
      })
    }
    // What is issued after a cut-off lives on.
    if (random.chance(0.3) && covered.length > 0) {
      const order = random.pick(covered)
      const jti = tokenId(Number(order.jti[0]), `new${actions.length}`)
      actions.push({
        at: at + random.between(5, 200),
        kind: 'issue',
        token: { ...order, jti, parents: [] },
      })
    }
  }
  return actions
}

/** Requests of services, most of them under way when their token is revoked. */
function callsOf(
  random: Random,
  tokens: readonly TokenOrder[],
  revocations: readonly Extract<Action, { kind: 'revoke' }>[],
  faults: readonly Action[],
): Action[] {
  const calls: Action[] = []
  const service = (): 'node' | 'auth' =>
    mayAskAuth(faults) && random.chance(0.5) ? 'auth' : 'node'
  for (const { at, selector } of revocations) {
    const covered = tokens.filter((token) => mayCover(selector, token))
    const count = covered.length === 0 ? 0 : random.whole(1, 3)
    for (let call = 0; call < count; call++) {
      const beforeMs = random.pick([random.between(0, 15), random.between(0, 300)])
      const afterMs = random.pick([
        random.between(-10, 20),
        random.between(0, 200),
        random.between(0.6, 1.2) * leaseMs,
      ])
      const to = { service: service(), token: random.pick(covered) }
      calls.push(callOf(random, to, at - beforeMs, at + afterMs))
    }
  }
  const at = random.between(settledMs, faultsMs)
  calls.push(callOf(random, { service: service(), token: random.pick(tokens) }, at, at + 30))
  return calls
}

/** A clock that is set back makes deadlines in the registry late by as much. */
function mayAskAuth(faults: readonly Action[]): boolean {
  return !faults.some((fault) => fault.kind === 'step clock' && fault.ms < 0)
}

/** A request whose head arrives at `at`, and the end of its body at `lastAt`. */
function callOf(
  random: Random,
  { token, ...to }: { service: 'node' | 'auth'; host?: string; token: TokenOrder },
  at: number,
  lastAt: number,
): { at: number } & Extract<Action, { kind: 'call' }> {
  const from = Math.max(0, at)
  const ms = Math.max(0, lastAt - from)
  const first = random.between(0, 1) * ms
  return {
    at: from,
    kind: 'call',
    ...to,
    token: token.jti,
    pieces: random.chance(0.5) ? [first, ms - first] : [ms],
    write: random.chance(0.35)
      ? { kind: 'issue' }
      : { kind: 'register', identity: `identity${random.whole(1, 1e6)}` },
  }
}

/** A host has an effect under way, or is about to, when its token is revoked, and a fault just then. */
function racesOf(
  random: Random,
  tokens: readonly TokenOrder[],
  hosts: readonly string[],
  faults: readonly Action[],
): Action[] {
  if (random.chance(0.4)) {
    return []
  }
  const host = random.pick(hosts)
  const service = host.startsWith('auth') ? 'auth' : 'node'
  if (service === 'auth' && !mayAskAuth(faults)) {
    return []
  }
  const store = service === 'auth' ? 'registry' : 'broker'
  const token = random.pick(tokens)
  const { identity } = token
  const at = settledMs + random.between(0.2, 0.7) * faultsMs
  const call = (lastAt: number) => callOf(random, { service, host, token }, at - 60, lastAt)
  const revoke = (revokeAt: number): Action => ({
    at: revokeAt,
    kind: 'revoke',
    selector: selectorOf(random, token),
    identity,
  })
  const block = (from: number, ways: 'there' | 'back', ms: number): Action => ({
    at: from,
    kind: 'block',
    from: host,
    to: store,
    ways,
    ms,
  })
  const ms = random.pick([random.between(20, 200), random.between(650, 1500)])
  const races: (() => Action[])[] = [
    () => [
      { at: at - 20, kind: 'stop at effect', host, ms },
      call(at),
      revoke(at + random.between(0, 0.5) * ms),
    ],
    () => [block(at - 1, 'there', ms), call(at), revoke(at + random.between(0, 0.5) * ms)],
    () => [
      block(at - 1, 'back', ms),
      call(at + random.between(0, 1) * ms),
      revoke(at + random.between(-5, 20)),
    ],
    () => [
      { at: at - 1, kind: 'stop', host, ms },
      call(at + random.between(0, 60)),
      revoke(at + random.between(0, 100)),
    ],
  ]
  if (service === 'auth' && hosts.some((other) => other.startsWith('auth') && other !== host)) {
    const lateAnswerRace = (): Action[] => {
      // The answer to a renewal is late; right after it, an effect is on its way for long.
      const lateMs = random.between(330, 390)
      const answeredAt = at + lateMs
      const revokedAt = at + random.between(100, lateMs - 90)
      const blockedAt = answeredAt + random.between(0.7, 1.5)
      const endsAt = random.between(revokedAt + 735, Math.max(revokedAt + 745, answeredAt + 640))
      // The first makes the script and the time of Redis known.
      const first = call(at - 20)
      return [
        first,
        block(at, 'back', lateMs),
        revoke(revokedAt),
        { ...first, pieces: [answeredAt + random.between(0.5, 1.3) - first.at] },
        block(blockedAt, 'there', endsAt - blockedAt),
      ]
    }
    races.push(lateAnswerRace, lateAnswerRace)
  }
  return random.pick(races)()
}

function mayCover(selector: Selector, token: TokenOrder): boolean {
  if ('all' in selector) {
    return true
  }
  if ('jti' in selector) {
    return [token.jti, ...token.parents].includes(selector.jti)
  }
  return selector.identity === token.identity
}

/** An action as a line of the history. */
export function describe({ at: _at, kind, ...more }: Action): string {
  return `${kind} ${JSON.stringify(more)}`
}
