import type {
  JoinContext,
  LeaveContext,
  PublicationContext,
  SubscriptionErrorContext,
  SubscriptionOptions,
} from 'centrifuge'
import { useCallback, useSyncExternalStore } from 'react'
import { useSharedConnection } from './provider.js'
import { type ChannelState, subscribing } from './shared-subscription.js'
import { useLatest } from './use-latest.js'

export interface UseSubscriptionOptions extends SubscriptionOptions {
  onPublication?: (context: PublicationContext) => void
  /** Needs `joinLeave`. */
  onJoin?: (context: JoinContext) => void
  /** Needs `joinLeave`. */
  onLeave?: (context: LeaveContext) => void
  /** Called after an attempt that failed, and that is tried again. */
  onError?: (context: SubscriptionErrorContext) => void
}

const notWanted: ChannelState = { state: 'unsubscribed' }

/**
 * Subscribes to a channel while the component is mounted; without a channel it does nothing. Components
 * that use the same channel share one subscription, which ends with the last of them. Its options are those
 * at its begin, merged from all its components. The functions `on…` are always those of the last render.
 */
export function useSubscription(
  channel: string | undefined,
  options: UseSubscriptionOptions = {},
): ChannelState {
  const connection = useSharedConnection()
  const latest = useLatest(options)
  const subscribe = useCallback(
    (onState: () => void) => {
      if (channel === undefined) {
        return () => undefined
      }
      const { onPublication, onJoin, onLeave, onError, ...subscriptionOptions } = latest.current
      return connection.channel(channel).add({
        options: subscriptionOptions,
        onState,
        onPublication: (context) => latest.current.onPublication?.(context),
        onJoin: (context) => latest.current.onJoin?.(context),
        onLeave: (context) => latest.current.onLeave?.(context),
        onError: (context) => latest.current.onError?.(context),
      })
    },
    [connection, channel, latest],
  )
  return useSyncExternalStore(
    subscribe,
    () => (channel === undefined ? notWanted : connection.stateOf(channel)),
    () => (channel === undefined ? notWanted : subscribing),
  )
}
