import { IncomingHead } from './network/http.js'
import type { Parts } from './parts.js'
import {
  activeResponse,
  HeldCallers,
  NodeLease,
  OwnPart,
  StreamTransport,
  Watch,
} from './production.js'
import { RegistryClient } from './registry/registry-client.js'
import type { Broken } from './scenario/invariants.js'

/*
 * Deliberate faults, each a plausible mistake. The simulation has to find every one. They replace classes
 * in the wiring; production code has no switch for them.
 */

/** Admits a token even if a revocation arrived during its introspection. */
class UncheckedWatch extends Watch {
  override register(...[active, token, mark]: Parameters<Watch['register']>) {
    return super.register(active, token, { ...mark, next: Number.MAX_SAFE_INTEGER })
  }
}

/** Acknowledges a revocation before it closes the connections. */
class HastyWatch extends Watch {
  override apply(...[events]: Parameters<Watch['apply']>) {
    setTimeout(() => super.apply(events), 5)
    return events.map(({ id }) => ({ id, connectionsClosed: 0 }))
  }
}

/** Does not know of bytes that wait for a slow reader of a stream. */
class ForgetfulStream extends StreamTransport {
  override backlog() {
    return 0
  }
}

/** Counts its lease from the answer, which may be late. */
class LateLease extends NodeLease {
  override granted(...[, ttlMs]: Parameters<NodeLease['granted']>) {
    super.granted(performance.now(), ttlMs)
  }
}

/** Trusts a timer, which fires late in a process that was stopped. */
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

/** Does not detect a suspend of the machine, during which the monotonic clock stands still. */
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

/** Counts a renewal although a revocation waits for the node, and fences only nodes that do not renew. */
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

/** Acknowledges a revocation while a covered publication is in flight to Redis. */
class ImpatientWatch extends Watch {
  override effectsOver(): undefined {}
}

/** Checks neither the grant nor the lease before an effect. */
class UncheckedEffects extends Watch {
  readonly #lease: ConstructorParameters<typeof Watch>[2]

  constructor(...args: ConstructorParameters<typeof Watch>) {
    super(...args)
    this.#lease = args[2]
  }

  override effect: Watch['effect'] = (grant, work, isOver, lease = this.#lease) => {
    if (grant.ended === undefined && lease.leftMs > 0) {
      return super.effect(grant, work, isOver, lease)
    }
    return work(performance.now() + 2000)
  }
}

/** Introspects no live token again when the feed has skipped events. */
class ForgottenTokens extends Watch {
  override tokenIds(): readonly string[] {
    return []
  }
}

/** Reads the rest of a body after its grant has ended. */
class UncutHead extends IncomingHead {
  override get complete(): boolean {
    return true
  }

  override set complete(_whole) {}
}

/** Follows the feed without being part of receipts. */
class NoPart extends OwnPart {
  readonly #watch: Watch

  constructor(options: ConstructorParameters<typeof OwnPart>[0]) {
    super(options)
    this.#watch = options.watch
  }

  override lease(): ReturnType<OwnPart['lease']> {
    return { held: true, leftMs: 2000 }
  }

  override async start(): Promise<void> {
    this.#watch.synced()
  }
}

/** Registers a known caller anew, as if the registry had just been asked. */
class RenewedCallers extends HeldCallers {
  readonly #watch: Watch
  readonly #callers = new Map<string, ReturnType<HeldCallers['find']>>()

  constructor(options: { watch: Watch }) {
    super(options)
    this.#watch = options.watch
  }

  override hold(...[token, caller]: Parameters<HeldCallers['hold']>) {
    this.#callers.set(token, caller)
  }

  override find(token: string) {
    const caller = this.#callers.get(token)
    if (caller === undefined) {
      return undefined
    }
    const names = { issuer: 'simulation', audience: 'simulation' }
    const mark = this.#watch.begin()
    const grant = this.#watch.register(activeResponse(names, caller), token, mark)
    this.#watch.finish(mark)
    return { ...caller, grant }
  }
}

export type MutantName =
  | 'admission-unchecked'
  | 'lease-from-reply'
  | 'ack-before-close'
  | 'stream-not-cut'
  | 'lease-by-timer'
  | 'suspend-unseen'
  | 'renewal-unacknowledged'
  | 'redis-by-run'
  | 'effects-not-awaited'
  | 'no-deadline'
  | 'effect-unchecked'
  | 'body-not-cut'
  | 'tokens-forgotten'
  | 'auth-no-part'
  | 'caller-unwatched'

interface Mutant {
  /** Describes the fault. */
  what: string
  /** The invariant that the fault breaks. */
  breaks: Broken['invariant']
  /** A seed that finds the fault; see `simulation.long.test.ts`. */
  seed: number
  parts: Partial<Parts>
}

export const mutants: Readonly<Record<MutantName, Mutant>> = {
  'admission-unchecked': {
    what: 'an admission is not checked against the events since its introspection began',
    breaks: 'a byte after a complete receipt',
    seed: 21,
    parts: { Watch: UncheckedWatch },
  },
  'lease-from-reply': {
    what: 'the lease counts from the answer, not from the send of its renewal',
    breaks: 'a byte after a complete receipt',
    seed: 195,
    parts: { NodeLease: LateLease },
  },
  'ack-before-close': {
    what: 'a revocation is acknowledged before its connections are closed',
    breaks: 'a byte after a complete receipt',
    seed: 3,
    parts: { Watch: HastyWatch },
  },
  'stream-not-cut': {
    what: 'bytes that a slow reader of a stream has not taken are not cut',
    breaks: 'a byte after a complete receipt',
    seed: 4,
    parts: { StreamTransport: ForgetfulStream },
  },
  'lease-by-timer': {
    what: 'a timer alone ends the lease',
    breaks: 'a byte after a complete receipt',
    seed: 124,
    parts: { NodeLease: TimedLease },
  },
  'suspend-unseen': {
    what: 'a suspend of the machine does not end the lease',
    breaks: 'a byte after a complete receipt',
    seed: 124,
    parts: { NodeLease: SleepyLease },
  },
  'renewal-unacknowledged': {
    what: 'a renewal counts although the node has unacknowledged revocations',
    breaks: 'a receipt that is late',
    seed: 80,
    parts: { RegistryClient: ForgivingRegistry },
  },
  'redis-by-run': {
    what: 'a Redis that is promoted again without a restart is not recognised as another one',
    breaks: 'a byte after a complete receipt',
    seed: 93,
    parts: { markOf: (run) => `run${run}` },
  },
  'effects-not-awaited': {
    what: 'a revocation is acknowledged while a covered effect is under way',
    breaks: 'a byte after a complete receipt',
    seed: 3,
    parts: { Watch: ImpatientWatch },
  },
  'no-deadline': {
    what: 'Redis executes a script after its deadline',
    breaks: 'a byte after a complete receipt',
    seed: 25,
    parts: { isTooLate: () => false },
  },
  'effect-unchecked': {
    what: 'the grant and the lease are not checked at the effect',
    breaks: 'a byte after a complete receipt',
    seed: 180,
    parts: { Watch: UncheckedEffects },
  },
  'body-not-cut': {
    what: 'a body is read to its end after its grant has ended, and its effect is not checked',
    breaks: 'a byte after a complete receipt',
    seed: 5,
    parts: { Watch: UncheckedEffects, IncomingHead: UncutHead },
  },
  'tokens-forgotten': {
    what: 'live tokens are not introspected again after the feed skipped events',
    breaks: 'a byte after a complete receipt',
    seed: 36,
    parts: { Watch: ForgottenTokens },
  },
  'auth-no-part': {
    what: 'receipts do not wait for auth instances',
    breaks: 'a byte after a complete receipt',
    seed: 19,
    parts: { OwnPart: NoPart },
  },
  'caller-unwatched': {
    what: 'a caller of auth is not watched between its requests',
    breaks: 'a byte after a complete receipt',
    seed: 11,
    parts: { HeldCallers: RenewedCallers },
  },
}

export function isMutantName(name: string): name is MutantName {
  return Object.hasOwn(mutants, name)
}
