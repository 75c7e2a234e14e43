import { NodeLease, Watch } from './production.js'
import { RegistryClient } from './registry-client.js'

/** What of the wiring a mutant replaces. */
export interface Parts {
  Watch: typeof Watch
  NodeLease: typeof NodeLease
  RegistryClient: typeof RegistryClient
}

export const productionParts: Parts = { Watch, NodeLease, RegistryClient }
