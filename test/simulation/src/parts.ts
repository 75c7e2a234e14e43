import { IncomingHead } from './network/http.js'
import { HeldCallers, NodeLease, OwnPart, StreamTransport, Watch } from './production.js'
import type { IsTooLate } from './registry/commands.js'
import { RegistryClient } from './registry/registry-client.js'
import { markOf } from './registry/registry-host.js'

/** The classes and functions that a mutant may replace. */
export interface Parts {
  Watch: typeof Watch
  NodeLease: typeof NodeLease
  OwnPart: typeof OwnPart
  HeldCallers: typeof HeldCallers
  StreamTransport: typeof StreamTransport
  RegistryClient: typeof RegistryClient
  markOf: typeof markOf
  IncomingHead: typeof IncomingHead
  isTooLate: IsTooLate
}

export const productionParts: Parts = {
  Watch,
  NodeLease,
  OwnPart,
  HeldCallers,
  StreamTransport,
  RegistryClient,
  IncomingHead,
  markOf,
  // The condition of `beforeDeadline` in packages/redis/src/script.ts.
  isTooLate: (deadlineMs, nowMs) => nowMs >= deadlineMs,
}
