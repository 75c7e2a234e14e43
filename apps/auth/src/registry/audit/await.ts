import type { AuditPage, ListAudit } from '@portcullis/contracts/audit'
import { defined } from '@portcullis/contracts/defined'
import type { Listener } from '../listen.js'
import type { Registry } from '../registry.js'
import { listAudit } from './list.js'
import type { AuditRetention } from './record.js'

/** The longest delay when a message was lost, or an entry waits for the clock of another master. */
const maxWaitMs = 1000

/** Announces that the audit log has grown, through any auth instance. Create one per process. */
export interface AuditWatch {
  /**
   * Resolves when the log has grown, after a second, after `withinMs`, or when this watch closes.
   */
  news(withinMs: number): Promise<void>
  readonly closed: boolean
  /** Ends every wait at once. The caller closes the listener. */
  close(): void
}

/** Starts to listen for entries. */
export function openAuditWatch(registry: Registry, listener: Listener): AuditWatch {
  const waiting = new Set<() => void>()
  const wakeAll = () => {
    for (const wake of [...waiting]) {
      wake()
    }
  }
  const stops = [listener.on(registry.keys.auditNews, wakeAll), listener.onGap(wakeAll)]
  let closed = false
  return {
    get closed() {
      return closed
    },
    news: (withinMs) =>
      new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, Math.min(withinMs, maxWaitMs))
        waiting.add(wake)
      }),
    close() {
      closed = true
      for (const stop of stops) {
        stop()
      }
      wakeAll()
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
  const deadline = performance.now() + wait
  let from = query
  for (;;) {
    const remainingMs = deadline - performance.now()
    // Listen before reading, so that no entry between the two is lost.
    const news = watch.closed || remainingMs <= 0 ? undefined : watch.news(remainingMs)
    const { isEnd, ...page } = await listAudit(registry, retention, from)
    if (page.entries.length > 0 || !isEnd || news === undefined) {
      return page
    }
    await news
    from = { ...from, ...defined({ after: page.cursor }) }
  }
}
