import type { Receipt } from '@portcullis/contracts'
import type { Redis } from '@portcullis/redis'
import { getReceipt } from './get-receipt.js'
import type { Registry } from './registry.js'
import { guard } from './run.js'

/** Hears the acknowledgements that arrive through any auth instance. One for each process. */
export interface ReceiptWatch {
  /** Calls back at each acknowledgement of the revocation; gives what stops that. */
  onAcknowledged(id: string, callback: () => void): () => void
  readonly closed: boolean
  /** Stops listening, and ends every wait at once. The connection stays the caller's to close. */
  close(): Promise<void>
}

/**
 * Starts to listen for acknowledgements.
 *
 * @param subscriber - a connection of the role `subscriber`, used for nothing else
 */
export async function openReceiptWatch(
  registry: Registry,
  subscriber: Redis,
): Promise<ReceiptWatch> {
  const channel = registry.keys.acknowledgements
  const waiting = new Map<string, Set<() => void>>()
  const onMessage = (from: string, id: string) => {
    if (from === channel) for (const callback of [...(waiting.get(id) ?? [])]) callback()
  }
  // After a lost connection nobody knows what was missed: everyone looks again.
  const wakeAll = () => {
    for (const callbacks of [...waiting.values()]) for (const callback of [...callbacks]) callback()
  }
  // A connection that is lost meanwhile comes back, and this with it.
  const onReady = () => void subscriber.subscribe(channel).then(wakeAll, () => undefined)
  let closed = false
  subscriber.on('message', onMessage)
  subscriber.on('ready', onReady)
  await guard(subscriber.subscribe(channel))

  return {
    get closed() {
      return closed
    },
    onAcknowledged(id, callback) {
      const callbacks = waiting.get(id) ?? new Set()
      waiting.set(id, callbacks.add(callback))
      return () => {
        callbacks.delete(callback)
        if (callbacks.size === 0 && waiting.get(id) === callbacks) waiting.delete(id)
      }
    },
    async close() {
      subscriber.off('message', onMessage)
      subscriber.off('ready', onReady)
      closed = true
      wakeAll()
      // Not waited for: a connection that is gone fails, one that is silent never answers, and
      // neither calls back any more.
      if (subscriber.status === 'ready') subscriber.unsubscribe(channel).catch(() => undefined)
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
      if (receipt.complete || last) return receipt
      if (!acknowledged && !expired && !watch.closed)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  } finally {
    clearTimeout(deadline)
    release()
  }
}
