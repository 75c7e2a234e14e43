import type { PublicationContext, SubscriptionOptions } from 'centrifuge'
import type { CommandError } from './channel-view.js'
import { useChannelView } from './use-channel-view.js'

export interface UseHistoryOptions extends SubscriptionOptions {
  /** Number of publications to keep; default: 50. The server returns at most 1000 at once. */
  limit?: number
}

export interface History {
  /** The newest publications, oldest first. */
  readonly publications: readonly PublicationContext[]
  readonly isLoading: boolean
  readonly error?: CommandError
  /** Loads the publications anew. */
  refresh(): void
}

/**
 * Returns the newest publications of a channel, and follows the live ones: each is there once, in the order
 * of offsets. Subscribes itself, and shares the subscription of the channel. The token needs
 * `history:<channel>`, and the namespace a history. In a namespace with `recovery` a reconnected client
 * loads only what it missed.
 */
export function useHistory(
  channel: string | undefined,
  { limit = 50, ...options }: UseHistoryOptions = {},
): History {
  const { value: publications, ...view } = useChannelView<
    readonly PublicationContext[],
    PublicationContext
  >(channel, {
    empty: [],
    async load(client, channel) {
      const newestFirst = await client.history(channel, { limit, reverse: true })
      return newestFirst.publications.reverse()
    },
    apply(publications, publication) {
      const newest = publications.at(-1)?.offset ?? 0
      // A publication without an offset is not in the history.
      return publication.offset !== undefined && publication.offset <= newest
        ? publications
        : [...publications, publication].slice(-limit)
    },
    user: (change) => ({ options, onPublication: change }),
  })
  return { ...view, publications }
}
