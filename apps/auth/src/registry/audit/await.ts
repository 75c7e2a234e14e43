import type { AuditPage, ListAudit } from '@portcullis/contracts/audit'
import { defined } from '@portcullis/contracts/defined'
import { Wakeup } from '../../wakeup.js'
import type { Listener } from '../listen.js'
import type { Registry } from '../registry.js'
import { listAudit } from './list.js'
import type { AuditRetention } from './record.js'

/** The longest delay when a message was lost, or an entry waits for the clock of another master. */
const maxWaitMs = 1000

/** Announces that the audit log has grown, through any auth instance. Create one per process. */
export interface AuditWatch {
  /** Calls `callback` when the log has grown. Returns a function that stops this. */
  onNews(callback: () => void): () => void
  readonly closed: boolean
  /** Stops listening and ends every wait at once. The caller closes the listener. */
  close(): void
}

/** Starts to listen for entries. */
export function openAuditWatch(registry: Registry, listener: Listener): AuditWatch {
  const callbacks = new Set<() => void>()
  const announce = () => {
    for (const callback of [...callbacks]) {
      callback()
    }
  }
  const stops = [listener.on(registry.keys.auditNews, announce), listener.onGap(announce)]
  let closed = false
  return {
    get closed() {
      return closed
    },
    onNews(callback) {
      callbacks.add(callback)
      return () => callbacks.delete(callback)
    },
    close() {
      closed = true
      for (const stop of stops) {
        stop()
      }
      announce()
    },
  }
}

/**
 * Returns the entries after `after` as soon as there are any, or none after `wait` milliseconds.
 *
 * @throws RegistryError `bad_cursor`
 */
export async function awaitAudit(
  registry: Registry,
  retention: AuditRetention,
  watch: AuditWatch,
  { wait = 0, ...query }: ListAudit,
): Promise<AuditPage> {
  const wakeup = new Wakeup()
  const deadline = performance.now() + wait
  let news = 0
  // Listen before reading, so that no entry between the two is lost.
  const release = watch.onNews(() => {
    news += 1
    wakeup.wake()
  })
  try {
    for (let from = query; ; ) {
      const seen = news
      const mayWait = !watch.closed && performance.now() < deadline
      const { isEnd, ...page } = await listAudit(registry, retention, from)
      if (page.entries.length > 0 || !isEnd || !mayWait) {
        return page
      }
      const remainingMs = Math.max(0, deadline - performance.now())
      await wakeup.until(() => news !== seen, { maxWaitMs: Math.min(remainingMs, maxWaitMs) })
      from = { ...from, ...defined({ after: page.cursor }) }
    }
  } finally {
    release()
  }
}
