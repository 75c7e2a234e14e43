import { NodeLease, Watch } from './production.js'
import { RegistryClient } from './registry-client.js'
import { markOf } from './registry-host.js'

/** What of the wiring a mutant replaces. */
export interface Parts {
  Watch: typeof Watch
  NodeLease: typeof NodeLease
  RegistryClient: typeof RegistryClient
  markOf: typeof markOf
}

export const productionParts: Parts = { Watch, NodeLease, RegistryClient, markOf }
