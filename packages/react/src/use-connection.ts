import type { Centrifuge } from 'centrifuge'
import { useCallback, useSyncExternalStore } from 'react'
import { useSharedConnection } from './provider.js'
import { type ConnectionState, disconnected } from './shared-connection.js'

export interface Connection extends ConnectionState {
  /** The client of centrifuge-js, for `publish`, `rpc` and `connect` after a new sign-in. */
  readonly client: Centrifuge
}

/** Returns the connection of the provider and its state. */
export function useConnection(): Connection {
  const connection = useSharedConnection()
  const listen = useCallback((listener: () => void) => connection.listen(listener), [connection])
  const state = useSyncExternalStore(
    listen,
    () => connection.state,
    () => disconnected,
  )
  return { ...state, client: connection.client }
}
