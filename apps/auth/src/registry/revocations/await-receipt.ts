import type { Receipt } from '@portcullis/contracts/revocations'
import { Wakeup } from '../../wakeup.js'
import type { Listener } from '../listen.js'
import type { Registry } from '../registry.js'
import { getReceipt } from './get-receipt.js'

/** Announces the acknowledgements that arrive through any auth instance. Create one per process. */
export interface ReceiptWatch {
  /**
   * Calls `callback` at each acknowledgement of the revocation. Returns a function that stops this.
   */
  onAcknowledged(id: string, callback: () => void): () => void
  readonly closed: boolean
  /** Stops listening and ends every wait at once. The caller closes the listener. */
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
    // Acknowledgements may have been missed: wake every wait to read its receipt again.
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
 * Returns the receipt once complete, or in its current state after `waitMs`.
 *
 * @throws RegistryError `revocation_not_found`
 */
export async function awaitReceipt(
  registry: Registry,
  watch: ReceiptWatch,
  id: string,
  waitMs: number,
): Promise<Receipt> {
  const wakeup = new Wakeup()
  const deadline = performance.now() + waitMs
  let acknowledgements = 0
  // Listen before reading, so that no acknowledgement between the two is lost.
  const release = watch.onAcknowledged(id, () => {
    acknowledgements += 1
    wakeup.wake()
  })
  try {
    for (let mayWait = !watch.closed; ; ) {
      const seen = acknowledgements
      const receipt = await getReceipt(registry, id)
      if (receipt.complete || !mayWait) {
        return receipt
      }
      const woken = await wakeup.until(() => watch.closed || acknowledgements !== seen, {
        maxWaitMs: Math.max(0, deadline - performance.now()),
      })
      mayWait = woken && !watch.closed
    }
  } finally {
    release()
  }
}
