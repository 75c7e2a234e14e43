import type { ClientInfo, SubscriptionOptions } from 'centrifuge'
import type { CommandError } from './channel-view.js'
import { useChannelView } from './use-channel-view.js'

export interface Presence {
  /** The connections that are subscribed to the channel; `user` is the subject of their token. */
  readonly clients: readonly ClientInfo[]
  readonly isLoading: boolean
  readonly error?: CommandError
  /** Loads the list anew. A client of a node that died stays listed for a minute, and leaves silently. */
  refresh(): void
}

interface Change {
  info: ClientInfo
  isHere: boolean
}

type Clients = ReadonlyMap<string, ClientInfo>

/**
 * Returns who is subscribed to a channel, and follows joins and leaves. Subscribes itself, with
 * `joinLeave`, and shares the subscription of the channel. The token needs `presence:<channel>`, and the
 * namespace `presence` and `joinLeave`.
 */
export function usePresence(
  channel: string | undefined,
  options: SubscriptionOptions = {},
): Presence {
  const { value, ...view } = useChannelView<Clients, Change>(channel, {
    empty: new Map(),
    async load(client, channel) {
      return new Map(Object.entries((await client.presence(channel)).clients))
    },
    apply(clients, { info, isHere }) {
      const changed = new Map(clients)
      if (isHere) {
        changed.set(info.client, info)
      } else {
        changed.delete(info.client)
      }
      return changed
    },
    user: (change) => ({
      options: { ...options, joinLeave: true },
      onJoin: ({ info }) => change({ info, isHere: true }),
      onLeave: ({ info }) => change({ info, isHere: false }),
    }),
  })
  return { ...view, clients: [...value.values()] }
}
