import { Wakeup } from '../../wakeup.js'
import type { Listener } from '../listen.js'
import type { Registry } from '../registry.js'
import { feedEnd } from './end.js'
import { readFeed } from './read.js'
import type { FeedSource } from './tail.js'

/** The longest wait for news; after each wait the feed is read again anyway. */
const maxWaitMs = 1000
const eventsPerRead = 500

/**
 * Returns the registry's feed as the source of a tail.
 *
 * A message that each commit publishes wakes the tail, because XREAD cannot wait in several slots
 * of a Cluster, not even on one server. A lost message costs one wait, which is short enough that
 * nodes still acknowledge within their lease.
 */
export function feedSource(registry: Registry, listener: Listener): FeedSource {
  const waitMs = Math.min(maxWaitMs, Math.ceil(registry.leaseMs / 10))
  const wakeup = new Wakeup()
  let published = 0
  let seen = 0
  const onPublished = () => {
    published += 1
    wakeup.wake()
  }
  const stops = [listener.on(registry.keys.news, onPublished), listener.onGap(onPublished)]
  return {
    async read(cursor) {
      // This read may not see events that are published from now on.
      seen = published
      return readFeed(registry, cursor, eventsPerRead)
    },
    end: () => feedEnd(registry),
    async news(_cursor, closing) {
      await wakeup.until(() => published !== seen, { signals: [closing], maxWaitMs: waitMs })
    },
    close() {
      for (const stop of stops) {
        stop()
      }
    },
  }
}
