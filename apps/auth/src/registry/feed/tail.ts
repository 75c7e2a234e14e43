import { setTimeout as delay } from 'node:timers/promises'
import type { FeedRead } from './read.js'

const retryMs = 100

/** Where a tail reads. */
export interface FeedSource {
  /** Events after a cursor, or `lost`; see `readFeed`. */
  read(cursor: string): Promise<FeedRead | 'lost'>
  /** The position after every event. */
  end(): Promise<string>
  /** Resolves when there may be something after the cursor, after a while, or when `closing` aborts. */
  news(cursor: string, closing: AbortSignal): Promise<void>
  /** Ends a wait that is under way. */
  close(): void
}

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
  /** Ends the loop and closes its source. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Follows the feed of all partitions, through restarts of Redis.
 *
 * News only wakes the loop; what it hands out always comes from a read, which sees when the feed went
 * backwards, also while no event comes.
 */
export function tailFeed(source: FeedSource, from: string, handlers: TailHandlers): FeedTail {
  const closing = new AbortController()
  let cursor = from

  const step = async () => {
    const read = await source.read(cursor)
    if (closing.signal.aborted) {
      return
    }
    if (read === 'lost') {
      cursor = await source.end()
      handlers.onLost(cursor)
    } else if (read.revocations.length > 0) {
      cursor = read.cursor
      handlers.onEvents(read)
    } else {
      await source.news(cursor, closing.signal)
    }
  }

  const loop = async () => {
    while (!closing.signal.aborted) {
      try {
        await step()
      } catch (error) {
        if (closing.signal.aborted) {
          return
        }
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
      source.close()
      await ended
    },
  }
}
