import type { Listener } from '../registry/listen.js'
import type { KeySet } from './key-set.js'

export interface FollowKeys {
  listener: Pick<Listener, 'on' | 'onGap'>
  /** The channel on which changes are announced; the listener subscribes to it. */
  channel: string
  /** How often the keys are read without an announcement, in milliseconds. Default: 5000. */
  everyMs?: number
  /** Called when reading the keys begins to fail. Reading is retried. */
  onError: (error: unknown) => void
}

/**
 * Keeps the keys up to date: reads them when another instance announces a change, when
 * announcements may have been missed, and every 5 s, which is also when scheduled rotations happen.
 * A token with an unknown `kid` does not cause a read, since anyone can send one.
 */
export function followKeys(
  keys: Pick<KeySet, 'refresh'>,
  { listener, channel, everyMs = 5000, onError }: FollowKeys,
): { close(): Promise<void> } {
  let closed = false
  let failing = false
  let timer: NodeJS.Timeout | undefined
  let refreshing: Promise<void> = Promise.resolve()
  const refresh = () => {
    if (closed) {
      return
    }
    clearTimeout(timer)
    refreshing = keys
      .refresh()
      .then(
        () => {
          failing = false
        },
        (error) => {
          // Report the first failure only.
          if (!failing) {
            onError(error)
          }
          failing = true
        },
      )
      .then(() => {
        clearTimeout(timer)
        if (!closed) {
          timer = setTimeout(refresh, everyMs)
        }
      })
  }
  const stops = [listener.on(channel, refresh), listener.onGap(refresh)]
  // A change may have been announced between the first read and now.
  refresh()
  return {
    async close() {
      closed = true
      clearTimeout(timer)
      for (const stop of stops) {
        stop()
      }
      await refreshing
    },
  }
}
