import type { Broken } from './invariants.js'
import type { Parts } from './parts.js'
import { NodeLease, Watch } from './production.js'
import { RegistryClient } from './registry-client.js'

/*
 * Faults on purpose, each one that a reader could make: the simulation has to find every one. They
 * are put in at the wiring; production code has no switch for them.
 */

/** Admits what auth has answered, whatever the feed has told meanwhile. */
class UncheckedWatch extends Watch {
  override register(...[active, token, mark]: Parameters<Watch['register']>) {
    return super.register(active, token, { ...mark, next: Number.MAX_SAFE_INTEGER })
  }
}

/** Says that it has closed what it will close a little later. */
class HastyWatch extends Watch {
  override apply(...[events]: Parameters<Watch['apply']>) {
    setTimeout(() => super.apply(events), 5)
    return events.map(({ id }) => ({ id, connectionsClosed: 0 }))
  }
}

/** Counts its lease from the answer, which may have been long on its way. */
class LateLease extends NodeLease {
  override granted(...[, ttlMs]: Parameters<NodeLease['granted']>) {
    super.granted(performance.now(), ttlMs)
  }
}

/** Believes its timer, which comes late in a process that was stopped. */
class TimedLease extends NodeLease {
  #held = false

  override get held(): boolean {
    return this.#held
  }

  override granted(...[sentAt, ttlMs]: Parameters<NodeLease['granted']>) {
    const leftMs = sentAt + ttlMs - performance.now()
    this.#held = leftMs > 0
    super.granted(sentAt, ttlMs)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#held = false
    }, leftMs)
  }

  #timer: NodeJS.Timeout | undefined
}

/** Counts its lease on a clock that stands still while the machine is suspended. */
class SleepyLease extends NodeLease {
  constructor(clocks?: ConstructorParameters<typeof NodeLease>[0]) {
    super({
      monotonic: () => performance.now(),
      wall: () => Date.now(),
      ...clocks,
      boot: undefined,
    })
  }
}

/** Counts a renewal whatever waits for its node, and fences a node for its renewals alone. */
class ForgivingRegistry extends RegistryClient {
  #marks: string[] = []

  override async readLeases() {
    const read = await super.readLeases()
    this.#marks = read.ends.map(({ run }) => run)
    return read
  }

  override async renewLease(...[node]: Parameters<RegistryClient['renewLease']>) {
    return super.renewLease(
      node,
      this.#marks.map((run) => ({ end: '0-0', run })),
    )
  }

  override async fenceNode(...[lease, overdueUs]: Parameters<RegistryClient['fenceNode']>) {
    return overdueUs === undefined ? super.fenceNode(lease) : undefined
  }
}

export type MutantName =
  | 'admission-unchecked'
  | 'lease-from-reply'
  | 'ack-before-close'
  | 'lease-by-timer'
  | 'suspend-unseen'
  | 'renewal-unacknowledged'
  | 'redis-by-run'

interface Mutant {
  /** What is wrong. */
  what: string
  /** The promise that it breaks. */
  breaks: Broken['invariant']
  /** The first seed that showed it, when it was last looked for. */
  seed: number
  parts: Partial<Parts>
}

/** By name. */
export const mutants: Readonly<Record<MutantName, Mutant>> = {
  'admission-unchecked': {
    what: 'the admission is not checked against the events since auth was asked',
    breaks: 'a byte after a complete receipt',
    seed: 52,
    parts: { Watch: UncheckedWatch },
  },
  'lease-from-reply': {
    what: 'the lease is counted from the answer, not from the sending of its renewal',
    breaks: 'a byte after a complete receipt',
    seed: 357,
    parts: { NodeLease: LateLease },
  },
  'ack-before-close': {
    what: 'a revocation is acknowledged before its connections are closed',
    breaks: 'a byte after a complete receipt',
    seed: 1,
    parts: { Watch: HastyWatch },
  },
  'lease-by-timer': {
    what: 'whether the lease is held is decided by a timer alone',
    breaks: 'a byte after a complete receipt',
    seed: 46,
    parts: { NodeLease: TimedLease },
  },
  'suspend-unseen': {
    what: 'a suspend of the machine does not end the lease',
    breaks: 'a byte after a complete receipt',
    seed: 14,
    parts: { NodeLease: SleepyLease },
  },
  'renewal-unacknowledged': {
    what: 'a renewal counts whatever its node has left unacknowledged, however late it comes',
    breaks: 'a receipt that is late',
    seed: 287,
    parts: { RegistryClient: ForgivingRegistry },
  },
  'redis-by-run': {
    what: 'a Redis that is the primary again without a restart is taken for the same',
    breaks: 'a byte after a complete receipt',
    seed: 197,
    parts: { markOf: (run) => `run${run}` },
  },
}

export function isMutantName(name: string): name is MutantName {
  return Object.hasOwn(mutants, name)
}
