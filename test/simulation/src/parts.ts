import { IncomingHead } from './network/http.js'
import { NodeLease, OwnPart, Watch } from './production.js'
import type { IsTooLate } from './registry/commands.js'
import { RegistryClient } from './registry/registry-client.js'
import { markOf } from './registry/registry-host.js'

/** The classes and functions that a mutant may replace. */
export interface Parts {
  Watch: typeof Watch
  NodeLease: typeof NodeLease
  OwnPart: typeof OwnPart
  RegistryClient: typeof RegistryClient
  markOf: typeof markOf
  IncomingHead: typeof IncomingHead
  isTooLate: IsTooLate
}

export const productionParts: Parts = {
  Watch,
  NodeLease,
  OwnPart,
  RegistryClient,
  IncomingHead,
  markOf,
  // The condition of `beforeDeadline` in packages/redis/src/script.ts.
  isTooLate: (deadlineMs, nowMs) => nowMs >= deadlineMs,
}
