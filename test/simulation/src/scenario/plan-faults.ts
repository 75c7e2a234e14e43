import type { Random } from '../world/random.js'
import { type Action, faultsMs, settledMs } from './action.js'

/** Returns up to seven random faults. */
export function planFaults(
  random: Random,
  auths: readonly string[],
  nodes: readonly string[],
  central: boolean,
): Action[] {
  const count = random.whole(0, 7)
  const faults = Array.from({ length: count }, () => faultOf(random, auths, nodes, central)).flat()
  const wentBack = faults.some((fault) => fault.kind === 'restart registry' && fault.older)
  // If Redis loses writes and its clock is set back, a new event may get a lost event's position, since
  // positions contain the time. The guarantee does not cover both faults together.
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
  // Short, about as long as the lease, or long.
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

/** Stops a host repeatedly, with short breaks. */
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

/** Delays auth's answers to a node; then cuts the node off. */
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

/** Promotes a replica that knows a node as fenced, and then the old primary again, without a restart. */
function failBack(random: Random, node: string, from: number): Action[] {
  const awayMs = random.between(720, 900)
  const backUpAt = from + awayMs - random.between(1, 10)
  const at = from + awayMs + random.between(40, 300)
  return [
    { at: from, kind: 'block', from: node, to: '*', ways: 'both', ms: awayMs },
    { at: backUpAt, kind: 'back up' },
    { at, kind: 'restart registry', downMs: random.between(1, 20), older: true, promoted: true },
    // At this time the node may hold a lease that this Redis does not know.
    {
      at: at + random.between(25, 250),
      kind: 'revoke',
      selector: { all: true },
      identity: 'shop0',
    },
  ]
}

/** Delays what an auth process sends to the registry, while one of its nodes is stopped. */
function lateRenewal(random: Random, auth: string, node: string, at: number): Action[] {
  // A node renews about every 220 ms.
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
