import type { Listener } from '../listen.js'
import type { Registry } from '../registry.js'
import { feedEnd } from './end.js'
import { readFeed } from './read.js'
import type { FeedSource } from './tail.js'

/** How long one wait for news lasts at most; after each the feed is read from the cursor anyway. */
const longestWaitMs = 1000
const eventsAtOnce = 500

/**
 * The registry's feed, for a tail.
 *
 * What wakes it is a message that each commit publishes: no XREAD can wait in several slots of a
 * Cluster, not even of one of its servers. A message that was lost costs no more than one wait, which
 * is so short that nodes still acknowledge in the time that their leases leave for it.
 */
export function feedSource(registry: Registry, listener: Listener): FeedSource {
  const waitMs = Math.min(longestWaitMs, Math.ceil(registry.leaseMs / 10))
  let isNews = false
  let wake = () => {}
  const ring = () => {
    isNews = true
    wake()
  }
  const stops = [listener.on(registry.keys.news, ring), listener.onGap(ring)]
  return {
    async read(cursor) {
      // What is published from here on, this read may not have seen.
      isNews = false
      return readFeed(registry, cursor, eventsAtOnce)
    },
    end: () => feedEnd(registry),
    async news(_cursor, closing) {
      if (isNews || closing.aborted) {
        return
      }
      await new Promise<void>((resolve) => {
        wake = () => {
          clearTimeout(timer)
          closing.removeEventListener('abort', wake)
          resolve()
        }
        const timer = setTimeout(wake, waitMs)
        closing.addEventListener('abort', wake)
      })
    },
    close() {
      for (const stop of stops) {
        stop()
      }
    },
  }
}
