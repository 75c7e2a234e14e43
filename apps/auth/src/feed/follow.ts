import { type FeedSource, tailFeed } from '../registry/index.js'
import { FeedHub } from './hub.js'

/** The tail tries again ten times a second: after this long without an error it is well. */
const errorFreeMs = 1000
/** How far behind the registry the tail may be, in time. */
const behindMs = 1000

export interface FollowOptions {
  source: FeedSource
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
export async function follow({ source, onError }: FollowOptions): Promise<Following> {
  const from = await source.end()
  const hub = new FeedHub(from)
  let failedAt = Number.NEGATIVE_INFINITY
  const tail = tailFeed(source, from, {
    onEvents: (read) => hub.onEvents(read),
    onLost: (cursor) => hub.onLost(cursor),
    onError(error) {
      // One line when it breaks, not ten a second until it is mended.
      if (performance.now() - failedAt > errorFreeMs) onError(error)
      failedAt = performance.now()
    },
  })
  return {
    hub,
    async ready() {
      if (performance.now() - failedAt < errorFreeMs) return 'the feed cannot be read'
      const { position } = hub
      if ((await source.end()) === position) return undefined
      const moved = await hub.movedFrom(position, AbortSignal.timeout(behindMs))
      return moved ? undefined : 'the feed is not being followed'
    },
    close: () => tail.close(),
  }
}
