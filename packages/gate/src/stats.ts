/** Counters since the start, for the host app to publish. */
export interface GateStats {
  /** Requests and upgrades admitted. */
  admitted: number
  /** Requests and upgrades refused, by reason. */
  readonly refused: {
    missing_token: number
    invalid_request: number
    invalid_token: number
    insufficient_scope: number
    auth_unavailable: number
  }
  /** `POST /v1/introspections` sent. */
  batches: number
  /** Tokens in all batches; divided by `batches`, the mean batch size. */
  introspected: number
  /** Tokens in the largest batch. */
  largestBatch: number
  /** Callers whose grants are held now, between their requests. */
  callersHeld: number
  /** Requests admitted by a held grant, without asking auth. */
  callersReused: number
  /** Grants ended by a revocation. */
  revoked: number
  /** Grants ended by their expiry. */
  expired: number
  /** Grants that are watched now. */
  live: number
  /** The last feed position that was applied; empty before the first. */
  feedCursor: string
  /** Milliseconds from the commit of the last revocation until this node applied it, by two wall clocks. */
  feedLagMs: number
  /** Reconnects of the feed. */
  feedReconnects: number
  /** Malformed feed messages. */
  feedGarbage: number
  /** Times that the lease ran out. */
  leasesLost: number
  /** Times that the feed skipped events, so that every live token was introspected again. */
  resyncs: number
}

export function newStats(): GateStats {
  return {
    admitted: 0,
    refused: {
      missing_token: 0,
      invalid_request: 0,
      invalid_token: 0,
      insufficient_scope: 0,
      auth_unavailable: 0,
    },
    batches: 0,
    introspected: 0,
    largestBatch: 0,
    callersHeld: 0,
    callersReused: 0,
    revoked: 0,
    expired: 0,
    live: 0,
    feedCursor: '',
    feedLagMs: 0,
    feedReconnects: 0,
    feedGarbage: 0,
    leasesLost: 0,
    resyncs: 0,
  }
}
