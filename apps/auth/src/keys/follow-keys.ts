import type { Listener } from '../registry/listen.js'
import type { KeySet } from './key-set.js'

export interface FollowKeys {
  listener: Pick<Listener, 'on' | 'onGap'>
  /** The channel on which changes are told; the listener listens to it. */
  channel: string
  /** How often an instance looks that hears of nothing, in milliseconds; by default 5000. */
  everyMs?: number
  /** Called when the keys cannot be looked at any more; it is tried again. */
  onError: (error: unknown) => void
}

/**
 * Keeps the keys as they are in Redis: looks when another instance tells of a change, when what it
 * told may have been missed, and every 5 s anyway, which is also when what is scheduled gets done. No
 * token makes it look: an unknown `kid` is anyone's to send.
 */
export function followKeys(
  keys: Pick<KeySet, 'look'>,
  { listener, channel, everyMs = 5000, onError }: FollowKeys,
): { close(): Promise<void> } {
  let closed = false
  let failing = false
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()
  const look = () => {
    if (closed) {
      return
    }
    clearTimeout(timer)
    looking = keys
      .look()
      .then(
        () => {
          failing = false
        },
        (error) => {
          // Once when it breaks, not every time until it is mended.
          if (!failing) {
            onError(error)
          }
          failing = true
        },
      )
      .then(() => {
        clearTimeout(timer)
        if (!closed) {
          timer = setTimeout(look, everyMs)
        }
      })
  }
  const stops = [listener.on(channel, look), listener.onGap(look)]
  // What was told between the first look and now.
  look()
  return {
    async close() {
      closed = true
      clearTimeout(timer)
      for (const stop of stops) {
        stop()
      }
      await looking
    },
  }
}
