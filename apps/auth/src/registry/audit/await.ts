import type { AuditPage, ListAudit } from '@portcullis/contracts/audit'
import type { Listener } from '../listen.js'
import type { Registry } from '../registry.js'
import { listAudit } from './list.js'
import type { AuditRetention } from './record.js'

/** A message that was lost, or an entry that has to wait for another master's clock, costs no more. */
const longestWaitMs = 1000

/** Hears that the audit log has grown, through any auth instance. One for each process. */
export interface AuditWatch {
  /** Resolves at the next news, after a second, after `withinMs`, or when this closes. */
  news(withinMs: number): Promise<void>
  readonly closed: boolean
  /** Ends every wait at once. The listener stays the caller's to close. */
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
        const timer = setTimeout(wake, Math.min(withinMs, longestWaitMs))
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
 * Follows the log: gives the entries behind `after` as soon as there are any, or none after `wait`
 * milliseconds.
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
    // Listens before it reads: what is appended between the two is not lost.
    const news = watch.closed || remainingMs <= 0 ? undefined : watch.news(remainingMs)
    const { isEnd, ...page } = await listAudit(registry, retention, from)
    if (page.entries.length > 0 || !isEnd || news === undefined) {
      return page
    }
    await news
    from = { ...from, ...(page.cursor === undefined ? {} : { after: page.cursor }) }
  }
}
