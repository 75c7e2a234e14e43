import { setTimeout as delay } from 'node:timers/promises'
import type { FeedRead } from './read.js'

const retryMs = 100

/** The feed that a tail reads. */
export interface FeedSource {
  /** Returns events after a cursor, or `lost`; see `readFeed`. */
  read(cursor: string): Promise<FeedRead | 'lost'>
  /** Returns the position after the last event. */
  end(): Promise<string>
  /**
   * Resolves when there may be events after the cursor, after some time, or when `closing` aborts.
   */
  news(cursor: string, closing: AbortSignal): Promise<void>
  /** Ends a pending wait. */
  close(): void
}

export interface TailHandlers {
  /** Receives events in the order of their commits, one batch after another. */
  onEvents(read: FeedRead): void
  /**
   * It is uncertain which events followed the last batch; the tail continues from this cursor.
   * Readers of earlier batches may have missed events.
   */
  onLost(cursor: string): void
  /** The registry did not answer; the tail retries until it does. */
  onError(error: unknown): void
}

/** A running tail. */
export interface FeedTail {
  /** The position up to which events were passed to the handlers. */
  readonly cursor: string
  /** Ends the loop and closes the source. May be called twice. */
  close(): Promise<void>
}

/**
 * Follows the feed of all partitions, through restarts of Redis.
 *
 * News only wakes the loop. Events always come from a read, which also notices when the feed went
 * backwards.
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
