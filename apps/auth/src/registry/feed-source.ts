import type { Redis } from '@portcullis/redis'
import { cursorParts } from './cursor.js'
import { feedEnd } from './feed-end.js'
import { readFeed } from './read-feed.js'
import type { Registry } from './registry.js'
import type { FeedSource } from './tail-feed.js'

/** How long one wait for news lasts; after each the feed is read from the cursor again anyway. */
const blockMs = 1000
/** A wait that takes longer than this is a connection that has gone deaf. */
const deafMs = 4000
const eventsAtOnce = 500

/**
 * The registry's feed, for a tail.
 *
 * @param blocking - a connection of the role `blocking`, used for nothing else. On a Cluster there
 * will be one for each of its nodes: one XREAD cannot wait in several slots.
 */
export function feedSource(registry: Registry, blocking: Redis): FeedSource {
  return {
    read: (cursor) => readFeed(registry, cursor, eventsAtOnce),
    end: () => feedEnd(registry),
    news: (cursor, closing) => waitForNews(registry, blocking, cursor, closing),
    close: () => blocking.disconnect(),
  }
}

/** Returns when there may be something after the cursor, after `blockMs`, or when `closing` aborts. */
async function waitForNews(
  registry: Registry,
  blocking: Redis,
  cursor: string,
  closing: AbortSignal,
): Promise<void> {
  const parts = cursorParts(cursor) ?? []
  const timer = setTimeout(() => blocking.disconnect(true), deafMs)
  let onClosing = () => {}
  // A command queued for a connection that is away is never answered, nor rejected by closing it.
  const closed = new Promise<void>((resolve) => {
    onClosing = resolve
    closing.addEventListener('abort', onClosing)
  })
  try {
    const news = blocking.xread(
      'COUNT',
      1,
      'BLOCK',
      blockMs,
      'STREAMS',
      ...parts.map((_, partition) => registry.keys.feed(partition)),
      ...parts.map(({ id }) => id),
    )
    await Promise.race([news, closed])
  } finally {
    clearTimeout(timer)
    closing.removeEventListener('abort', onClosing)
  }
}
