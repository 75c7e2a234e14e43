import type { ConnectOptions } from '@portcullis/client'
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
} from 'react'
import { SharedConnection } from './shared-connection.js'

export interface PortcullisProviderProps extends Omit<ConnectOptions, 'autoConnect'> {
  /** Of a realtime node: `wss://realtime.example/connection/websocket`. */
  url: string
  children?: ReactNode
}

const Connection = createContext<SharedConnection | undefined>(undefined)

/**
 * Connects when it is mounted, and disconnects when it is unmounted; all hooks below share the connection.
 * Another `url` or another token source begins another connection: create `tokens` outside of components,
 * or with `useMemo` for each user. Later changes of the other options have no effect, except for
 * `onSignedOut`.
 */
export function PortcullisProvider({
  url,
  children,
  onSignedOut,
  ...options
}: PortcullisProviderProps): ReactElement {
  const { tokens } = options
  // biome-ignore lint/correctness/useExhaustiveDependencies: the other options belong to the connection
  const connection = useMemo(() => new SharedConnection(url, options), [url, tokens])
  useEffect(() => {
    connection.onSignedOut = onSignedOut
  })
  useEffect(() => connection.hold(), [connection])
  return createElement(Connection.Provider, { value: connection }, children)
}

/** Returns the connection of the provider. @throws Error without a provider */
export function useSharedConnection(): SharedConnection {
  const connection = useContext(Connection)
  if (connection === undefined) {
    throw new Error('this hook needs a PortcullisProvider above its component')
  }
  return connection
}
