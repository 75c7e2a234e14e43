import type { LiveGrant, Watch } from '@portcullis/gate/grants'
import type { ActiveToken } from '../tokens/introspect.js'

/** A caller's token that was active when the registry was asked, and that the watch has followed since. */
export interface HeldCaller extends ActiveToken {
  readonly grant: LiveGrant
}

interface Held {
  readonly caller: HeldCaller
  /** Before the registry was asked, on the clock of `performance.now()`. */
  readonly askedAt: number
  release: () => void
}

export interface HeldCallersOptions {
  watch: Pick<Watch, 'hold'>
  /** How many callers are held; the one asked about the longest ago goes first. */
  maxHeld?: number
  /**
   * How long a caller is held after the registry was asked, in milliseconds. Revocations end it
   * earlier. The limit is for what no revocation says: a Redis that was restored without the token,
   * and a clock of Redis that is ahead of this process's at the token's expiry.
   */
  maxHeldMs?: number
  /** Returns the time of a monotonic clock, in milliseconds. */
  now?: () => number
}

/**
 * Holds the grants of callers between their requests, so that a known caller costs no round trip to the
 * registry. A grant is held in the watch from the step that registered it: no revocation can fall
 * between two requests. It is found by the exact text of the token, which the registry has compared
 * with the text that was issued.
 */
export class HeldCallers {
  readonly #watch: Pick<Watch, 'hold'>
  readonly #maxHeld: number
  readonly #maxHeldMs: number
  readonly #now: () => number
  /** By the token's text, in the order of `askedAt`. */
  readonly #byToken = new Map<string, Held>()

  constructor({
    watch,
    maxHeld = 1000,
    maxHeldMs = 10_000,
    now = () => performance.now(),
  }: HeldCallersOptions) {
    this.#watch = watch
    this.#maxHeld = maxHeld
    this.#maxHeldMs = maxHeldMs
    this.#now = now
  }

  get size(): number {
    return this.#byToken.size
  }

  /** Returns the held caller with this token; undefined when the registry has to be asked. */
  find(token: string): HeldCaller | undefined {
    const held = this.#byToken.get(token)
    if (held === undefined) {
      return undefined
    }
    // The watch ends an expired grant up to a second late.
    if (this.#isOld(held) || held.caller.grant.expiresAt <= Date.now()) {
      this.#drop(token, held)
      return undefined
    }
    return held.caller
  }

  /**
   * Holds a caller. Call it in the synchronous step that registered its grant.
   *
   * @param askedAt - before the registry was asked, on the clock of `performance.now()`
   */
  hold(token: string, caller: HeldCaller, askedAt: number): void {
    const known = this.#byToken.get(token)
    if (known !== undefined) {
      this.#drop(token, known)
    }
    for (const [oldest, held] of this.#byToken) {
      if (this.#byToken.size < this.#maxHeld && !this.#isOld(held)) {
        break
      }
      this.#drop(oldest, held)
    }
    const held: Held = { caller, askedAt, release: () => undefined }
    this.#byToken.set(token, held)
    held.release = this.#watch.hold(
      caller.grant,
      () => this.#byToken.delete(token),
      () => false,
    )
  }

  #isOld({ askedAt }: Held): boolean {
    return this.#now() - askedAt >= this.#maxHeldMs
  }

  #drop(token: string, { release }: Held): void {
    this.#byToken.delete(token)
    release()
  }
}
