import type { FastifyRequest, preValidationHookHandler } from 'fastify'
import type { Grant, Holder } from './grants/grant.js'
import type { Lease } from './grants/lease.js'
import type { GateStats } from './stats.js'

export interface AdmitOptions {
  /** The scopes that the route requires, separated by spaces. The token's scopes must cover each. */
  scope?: string
  /**
   * Also admits a request without a token, which then has no grant; see `Gate.admitted`. For a route
   * that receives the token later and calls `Gate.introspect`.
   */
  optional?: boolean
}

/** Returns a hook that admits a request or an upgrade if its token is active, and refuses it otherwise. */
export type Admit = (options?: AdmitOptions) => preValidationHookHandler

/** `app.gate` */
export interface Gate {
  /**
   * Introspects a token at auth. The gate watches the grant from this moment. Call `hold` without delay:
   * a grant without a holder ends as expired after ten seconds.
   *
   * @throws GateError `invalid_token`; `auth_unavailable` when auth does not answer
   */
  introspect(token: string): Promise<Grant>
  /**
   * Calls `onEnd` once, synchronously, when the grant ends; at once if it has ended already. From this
   * call on the caller, not the gate, closes the connections that use the grant, and checks `lease`
   * before each message.
   *
   * Returns `release`; call it when the connection ends for another reason. The gate forgets the grant
   * when its last holder has released it.
   */
  hold(grant: Grant, onEnd: Holder): () => void
  /**
   * Performs an effect outside this process for a token: checks the grant and the lease, and calls `work`
   * in the same synchronous step. Call it for each write that a request makes, even right after its
   * admission. A revocation that covers the grant is acknowledged only when the effect is over.
   *
   * `work` receives a deadline on the clock of `performance.now()`, in milliseconds. The store should
   * refuse writes after the deadline, since the process may be stopped between the check and the write.
   * `isOver` returns true for an error that proves that the effect will not happen; after any other error
   * the effect counts as under way until its deadline.
   *
   * @throws GateError `invalid_token` when the grant has ended, `auth_unavailable` when the lease is
   * out; and whatever `work` throws
   */
  effect<Result>(
    grant: Grant,
    work: (until: number) => Promise<Result>,
    isOver?: (error: unknown) => boolean,
  ): Promise<Result>
  /**
   * Returns the time of the registry's clock in Unix milliseconds, as the last answer of auth showed it;
   * before the first, this process's time.
   */
  registryTime(): number
  /** Returns true if `app.admit()` admitted the request with a token; false if it came without one. */
  admitted(request: FastifyRequest): boolean
  /** Returns why the gate cannot admit anything now; undefined when it can. For `/ready`. */
  ready(): string | undefined
  /**
   * Returns why this process has to end: a later process has taken the node's name, so this one receives
   * no revocations. Undefined otherwise. For `/health`, so that a supervisor ends the process.
   */
  replaced(): string | undefined
  /** This node's lease, for code that holds grants itself: without it no application byte may pass. */
  readonly lease: Lease
  /** Counters for the host app to publish. */
  readonly stats: Readonly<GateStats>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns a preValidation hook for HTTP and WebSocket routes, which refuses requests without an active token. */
    admit: Admit
    gate: Gate
  }
  interface FastifyRequest {
    /** The verified token. Throws on a route without the hook of `app.admit()`. */
    readonly grant: Grant
  }
}
