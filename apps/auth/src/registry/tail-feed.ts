import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from '@portcullis/redis'
import { cursorParts } from './cursor.js'
import { feedEnd } from './feed-end.js'
import { type FeedRead, readFeed } from './read-feed.js'
import type { Registry } from './registry.js'

/** How long one wait for news lasts; after each the feed is read from the cursor again anyway. */
const blockMs = 1000
/** A wait that takes longer than this is a connection that has gone deaf. */
const deafMs = 4000
const retryMs = 100
const eventsAtOnce = 500

export interface TailHandlers {
  /** Events in the order of their commits; called one batch after another. */
  onEvents(read: FeedRead): void
  /**
   * What followed the last batch cannot be told; the tail goes on from this cursor. Whoever was told
   * of events so far has to be treated as one that may have missed some.
   */
  onLost(cursor: string): void
  /** The registry did not answer; the tail tries again until it does. */
  onError(error: unknown): void
}

/** A running tail. */
export interface FeedTail {
  /** The position that has been handed to the handlers. */
  readonly cursor: string
  /** Ends the loop; the blocking connection is disconnected. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Follows the feed of all partitions, through restarts of Redis.
 *
 * XREAD only wakes the loop; what it hands out always comes from `readFeed`, which sees when the
 * feed went backwards, also while no event comes.
 *
 * @param blocking - a connection of the role `blocking`, used for nothing else. On a Cluster there
 * will be one for each of its nodes: one XREAD cannot wait in several slots.
 */
export function tailFeed(
  registry: Registry,
  blocking: Redis,
  from: string,
  handlers: TailHandlers,
): FeedTail {
  const closing = new AbortController()
  let cursor = from

  const step = async () => {
    const read = await readFeed(registry, cursor, eventsAtOnce)
    if (closing.signal.aborted) return
    if (read === 'lost') {
      cursor = await feedEnd(registry)
      handlers.onLost(cursor)
    } else if (read.revocations.length > 0) {
      cursor = read.cursor
      handlers.onEvents(read)
    } else await waitForNews(registry, blocking, cursor, closing.signal)
  }

  const loop = async () => {
    while (!closing.signal.aborted) {
      try {
        await step()
      } catch (error) {
        if (closing.signal.aborted) return
        handlers.onError(error)
        await delay(retryMs, undefined, { signal: closing.signal }).catch(() => undefined)
      }
    }
  }
  const ended = loop()

  return {
    get cursor() {
      return cursor
    },
    async close() {
      closing.abort()
      // Ends a wait that is under way: nobody else uses this connection.
      blocking.disconnect()
      await ended
    },
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
