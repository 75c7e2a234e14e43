import type { Introspector } from '../auth/introspector.js'
import { Expiry } from '../grants/expiry.js'
import type { LiveGrant } from '../grants/grant.js'
import type { Watch } from '../grants/watch.js'
import type { GateStats } from '../stats.js'

/** Held grants at most. When one more arrives, the oldest is dropped. */
const maxHeld = 10_000

interface HeldCallersOptions {
  introspector: Pick<Introspector, 'introspect'>
  watch: Watch
  stats: GateStats
  /** How long a grant is held after its introspection, in milliseconds; 0 for never. */
  holdMs: number
}

interface HeldCaller {
  readonly grant: LiveGrant
  release(): void
}

/**
 * Holds the grants of HTTP callers between their requests, so that auth is not asked for each request. The
 * watch ends a held grant as it ends the grant of a socket. Each request gets a grant of its own.
 */
export class HeldCallers {
  readonly #options: HeldCallersOptions
  /** By the exact text of the token; the oldest first. */
  readonly #byToken = new Map<string, HeldCaller>()
  /** When each one is dropped. */
  readonly #times = new Expiry<LiveGrant>(({ token }) => this.#drop(token))
  #closed = false

  constructor(options: HeldCallersOptions) {
    this.#options = options
  }

  /**
   * Returns a new grant of the token: from the held one, else from auth.
   * @throws GateError `invalid_token`, `auth_unavailable`
   */
  async grantOf(token: string): Promise<LiveGrant> {
    const { introspector, watch, stats } = this.#options
    const held = this.#byToken.get(token)
    if (held !== undefined) {
      const grant = watch.copy(held.grant)
      stats.callersReused++
      return grant
    }
    const grant = await introspector.introspect(token)
    this.#hold(token, grant)
    return grant
  }

  /** Drops every held grant, and holds no more. */
  close(): void {
    this.#closed = true
    for (const token of this.#byToken.keys()) {
      this.#drop(token)
    }
  }

  #hold(token: string, admitted: LiveGrant): void {
    const { watch, holdMs } = this.#options
    if (holdMs === 0 || this.#closed || admitted.ended !== undefined || this.#byToken.has(token)) {
      return
    }
    const grant = watch.copy(admitted)
    const release = watch.hold(
      grant,
      () => this.#drop(token),
      () => false,
    )
    this.#byToken.set(token, { grant, release })
    this.#times.set(grant, Date.now() + holdMs)
    this.#count()
    const [oldest] = this.#byToken.keys()
    if (this.#byToken.size > maxHeld && oldest !== undefined) {
      this.#drop(oldest)
    }
  }

  #drop(token: string): void {
    const held = this.#byToken.get(token)
    if (held === undefined) {
      return
    }
    this.#byToken.delete(token)
    this.#times.delete(held.grant)
    held.release()
    this.#count()
  }

  #count(): void {
    this.#options.stats.callersHeld = this.#byToken.size
  }
}
