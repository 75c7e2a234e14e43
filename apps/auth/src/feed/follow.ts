import { type FeedRead, type FeedSource, tailFeed } from '../registry/index.js'
import { FeedHub } from './hub.js'

/** The tail retries ten times a second: after this long without an error the feed is readable again. */
const errorFreeMs = 1000
/** A tail that is behind the registry for longer is stuck. */
const maxBehindMs = 1000

/** Receives the events of the tail before any node does. */
export interface FeedFollower {
  onEvents(read: FeedRead): void
  onLost(cursor: string): void
}

export interface FollowOptions {
  source: FeedSource
  /** Makes the follower; `cursor` is where the tail starts. */
  follower?: (cursor: string) => FeedFollower
  onError: (error: unknown) => void
}

/** The one tail of this process, feeding the hub. */
export interface Following {
  hub: FeedHub
  /** Returns why the feed is not being followed; undefined when it is. */
  ready(): Promise<string | undefined>
  close(): Promise<void>
}

/** Follows the feed, starting at its end. @throws RegistryError `registry_unavailable` */
export async function follow({ source, follower, onError }: FollowOptions): Promise<Following> {
  const start = await source.end()
  const hub = new FeedHub(start)
  const first = follower?.(start)
  let failedAt = Number.NEGATIVE_INFINITY
  const tail = tailFeed(source, start, {
    onEvents(read) {
      first?.onEvents(read)
      hub.onEvents(read)
    },
    onLost(cursor) {
      first?.onLost(cursor)
      hub.onLost(cursor)
    },
    onError(error) {
      // Report the first error of an outage, not ten a second.
      if (performance.now() - failedAt > errorFreeMs) {
        onError(error)
      }
      failedAt = performance.now()
    },
  })
  return {
    hub,
    async ready() {
      if (performance.now() - failedAt < errorFreeMs) {
        return 'the feed cannot be read'
      }
      const { position } = hub
      if ((await source.end()) === position) {
        return undefined
      }
      const moved = await hub.movedFrom(position, { maxWaitMs: maxBehindMs })
      return moved ? undefined : 'the feed is not being followed'
    },
    close: () => tail.close(),
  }
}
