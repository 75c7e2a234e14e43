import type { IsTooLate } from './commands.js'
import { IncomingHead } from './http.js'
import { NodeLease, OwnPart, Watch } from './production.js'
import { RegistryClient } from './registry-client.js'
import { markOf } from './registry-host.js'

/** What of the wiring a mutant replaces. */
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
  // As `beforeDeadline` in packages/redis/src/script.ts.
  isTooLate: (deadlineMs, nowMs) => nowMs >= deadlineMs,
}
