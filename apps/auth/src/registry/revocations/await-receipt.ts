import type { Receipt } from '@portcullis/contracts/revocations'
import type { Listener } from '../listen.js'
import type { Registry } from '../registry.js'
import { getReceipt } from './get-receipt.js'

/** Hears the acknowledgements that arrive through any auth instance. One for each process. */
export interface ReceiptWatch {
  /** Calls back at each acknowledgement of the revocation; gives what stops that. */
  onAcknowledged(id: string, callback: () => void): () => void
  readonly closed: boolean
  /** Stops listening, and ends every wait at once. The listener stays the caller's to close. */
  close(): void
}

/** Starts to listen for acknowledgements. */
export function openReceiptWatch(registry: Registry, listener: Listener): ReceiptWatch {
  const waiting = new Map<string, Set<() => void>>()
  const wakeAll = () => {
    for (const callbacks of [...waiting.values()]) {
      for (const callback of [...callbacks]) {
        callback()
      }
    }
  }
  let closed = false
  const stops = [
    listener.on(registry.keys.acknowledgements, (id) => {
      for (const callback of [...(waiting.get(id) ?? [])]) {
        callback()
      }
    }),
    // After a lost connection nobody knows what was missed: everyone looks again.
    listener.onGap(wakeAll),
  ]
  return {
    get closed() {
      return closed
    },
    onAcknowledged(id, callback) {
      const callbacks = waiting.get(id) ?? new Set()
      waiting.set(id, callbacks.add(callback))
      return () => {
        callbacks.delete(callback)
        if (callbacks.size === 0 && waiting.get(id) === callbacks) {
          waiting.delete(id)
        }
      }
    },
    close() {
      for (const stop of stops) {
        stop()
      }
      closed = true
      wakeAll()
    },
  }
}

/**
 * Gives the receipt as soon as it is complete, or as it stands after `waitMs`.
 *
 * @throws RegistryError `revocation_not_found`
 */
export async function awaitReceipt(
  registry: Registry,
  watch: ReceiptWatch,
  id: string,
  waitMs: number,
): Promise<Receipt> {
  let acknowledged = false
  let wake = () => {}
  let expired = false
  // Listens before it reads: an acknowledgement between the two is not lost.
  const release = watch.onAcknowledged(id, () => {
    acknowledged = true
    wake()
  })
  const deadline = setTimeout(() => {
    expired = true
    wake()
  }, waitMs)
  try {
    for (;;) {
      acknowledged = false
      const last = expired || watch.closed
      const receipt = await getReceipt(registry, id)
      if (receipt.complete || last) {
        return receipt
      }
      if (!acknowledged && !expired && !watch.closed) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    clearTimeout(deadline)
    release()
  }
}
