import type { FastifyRequest, preValidationHookHandler } from 'fastify'
import type { Grant, Holder } from './grants/grant.js'
import type { Lease } from './grants/lease.js'
import type { GateStats } from './stats.js'

export interface AdmitOptions {
  /** The scopes that the route asks for, separated by spaces; each must be covered by the token's. */
  scope?: string
  /**
   * Also lets a request without any token pass, which then has no grant: see `Gate.admitted`. For a
   * route that asks for the token later, by `Gate.introspect`.
   */
  optional?: boolean
}

/** Makes the hook that lets a request or an upgrade through when its token is good. */
export type Admit = (options?: AdmitOptions) => preValidationHookHandler

/** `app.gate` */
export interface Gate {
  /**
   * Asks auth about a token. The grant is watched from this moment; whoever relies on it calls
   * `hold` without delay: a grant that nobody has held for ten seconds is given up as expired.
   *
   * @throws GateError `invalid_token`; `auth_unavailable` when auth cannot be asked.
   */
  introspect(token: string): Promise<Grant>
  /**
   * Calls `onEnd` once, synchronously, when the grant ends; at once when it already has.
   * From then on the caller, not the gate, closes what stands on the grant, and asks `lease` before it
   * lets anything through. Gives the function that
   * lets go, to be called when the connection is gone for another reason; the grant is forgotten
   * when its last holder lets go.
   */
  hold(grant: Grant, onEnd: Holder): () => void
  /**
   * Lets a token have an effect outside this process: checks that the grant and the lease hold, and
   * calls `work` in the same synchronous step. Call it for each write that a token asks for, however
   * long ago the request was admitted. A revocation that covers the grant is acknowledged only when
   * the effect is over.
   *
   * `work` gets a deadline on the clock of `performance.now()`, in milliseconds. A store that can
   * refuse what arrives after it closes the last gap: a process that is stopped between the check and
   * the write. `isOver` returns true for an error after which the effect cannot happen any more; after
   * any other error the effect counts as under way until its deadline.
   *
   * @throws GateError `invalid_token` when the grant has ended, `auth_unavailable` when the lease is
   * out; and whatever `work` throws
   */
  effect<Result>(
    grant: Grant,
    work: (until: number) => Promise<Result>,
    isOver?: (error: unknown) => boolean,
  ): Promise<Result>
  /** Whether a request under `app.admit()` has brought a good token; false only where it is optional. */
  admitted(request: FastifyRequest): boolean
  /** Why nothing can be admitted now; undefined when all is well. For `/ready`. */
  ready(): string | undefined
  /**
   * Why this process has to end: a later one has taken the node's name, and this one is told of no
   * revocation. Undefined while that is not so. For `/health`: a supervisor shall end it.
   */
  replaced(): string | undefined
  /** This node's leave to let application bytes through, for those who hold grants themselves. */
  readonly lease: Lease
  /** Counters for the host app to publish. */
  readonly stats: Readonly<GateStats>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** A preValidation hook for HTTP and WebSocket routes: nobody passes without a good token. */
    admit: Admit
    gate: Gate
  }
  interface FastifyRequest {
    /** The verified token. Throws on a route that is not under `app.admit()`. */
    readonly grant: Grant
  }
}
