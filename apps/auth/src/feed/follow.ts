import { type FeedRead, type FeedSource, tailFeed } from '../registry/index.js'
import { FeedHub } from './hub.js'

/** The tail tries again ten times a second: after this long without an error it is well. */
const errorFreeMs = 1000
/** How far behind the registry the tail may be, in time. */
const behindMs = 1000

/** Hears what the tail brings before any node is told. */
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
  /** Says why the feed is not being followed, or nothing when it is. */
  ready(): Promise<string | undefined>
  close(): Promise<void>
}

/** Follows the feed from its end on. @throws RegistryError `registry_unavailable` */
export async function follow({ source, follower, onError }: FollowOptions): Promise<Following> {
  const from = await source.end()
  const hub = new FeedHub(from)
  const own = follower?.(from)
  let failedAt = Number.NEGATIVE_INFINITY
  const tail = tailFeed(source, from, {
    onEvents(read) {
      own?.onEvents(read)
      hub.onEvents(read)
    },
    onLost(cursor) {
      own?.onLost(cursor)
      hub.onLost(cursor)
    },
    onError(error) {
      // One line when it breaks, not ten a second until it is mended.
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
      const moved = await hub.movedFrom(position, AbortSignal.timeout(behindMs))
      return moved ? undefined : 'the feed is not being followed'
    },
    close: () => tail.close(),
  }
}
