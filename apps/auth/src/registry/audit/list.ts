import type { AuditEntry, AuditFilter, AuditPage, ListAudit } from '@portcullis/contracts/audit'
import { badCursor } from '../errors.js'
import type { Registry } from '../registry.js'
import { type AuditRange, auditEnd, readAudit } from './read.js'
import {
  type AuditPlace,
  type AuditRetention,
  auditCursorOf,
  auditPlaceOf,
  type PlacedEntry,
} from './record.js'

const readAtOnce = 500
/** A rare entry among many: the page ends early, with a cursor to go on from. */
const readAtMost = 1000

/**
 * A page of the audit log; see contracts' `ListAudit`. The cursor is the place of the last entry
 * looked at, so pages neither repeat nor skip one, whatever comes or goes between them.
 *
 * @throws RegistryError `bad_cursor`
 */
export async function listAudit(
  registry: Registry,
  retention: AuditRetention,
  query: Omit<ListAudit, 'wait'>,
): Promise<AuditPage & { isEnd: boolean }> {
  const { limit = 100, cursor, after } = query
  const order = after === undefined ? 'newest first' : 'oldest first'
  const range = await rangeOf(registry, retention, query)
  const wanted = matcher(query)
  const entries: AuditEntry[] = []
  let last = placeOf(after ?? cursor)
  const atOnce = isSelective(query) ? readAtOnce : Math.min(limit + 1, readAtOnce)
  for (let read = 0; read < readAtMost; read += atOnce) {
    const batch = await readAudit(registry, { ...range, order, after: last, limit: atOnce })
    for (const { place, entry } of batch) {
      // Only one more that is wanted shows that there is a next page.
      if (wanted(entry) && entries.length === limit) {
        return page(entries, last, false)
      }
      if (wanted(entry)) {
        entries.push(entry)
      }
      last = place
    }
    if (batch.length < atOnce) {
      return page(entries, order === 'newest first' ? undefined : last, true)
    }
  }
  return page(entries, last, false)
}

/**
 * The audit log as it is at this moment, oldest first, one batch after another: whoever reads slowly has
 * no more than one in memory.
 *
 * @throws RegistryError `bad_cursor`, before the first batch
 */
export async function exportAudit(
  registry: Registry,
  retention: AuditRetention,
  query: AuditFilter & { after?: string },
): Promise<AsyncGenerator<AuditEntry[], void>> {
  const start = placeOf(query.after)
  const range = await rangeOf(registry, retention, query)
  const wanted = matcher(query)
  return (async function* () {
    let after = start
    for (;;) {
      const batch: PlacedEntry[] = await readAudit(registry, {
        ...range,
        order: 'oldest first',
        after,
        limit: readAtOnce,
      })
      yield batch.map(({ entry }) => entry).filter(wanted)
      after = batch.at(-1)?.place
      if (batch.length < readAtOnce) {
        return
      }
    }
  })()
}

const refusedKinds = ['refusals', 'attempts'] as const
const doneKinds = ['acts', 'issues'] as const

/** What the filter says of time and of kinds: it is not read at all. */
async function rangeOf(
  registry: Registry,
  { maxAgeMs }: AuditRetention,
  { from = 0, to, result }: AuditFilter,
): Promise<Pick<AuditRange, 'fromUs' | 'toUs' | 'kinds'>> {
  const end = await auditEnd(registry)
  return {
    // What is too old is removed when the next entry comes, and shown no more before that.
    fromUs: Math.max(from * 1000, end - maxAgeMs * 1000, 0),
    toUs: Math.min(to === undefined ? end : to * 1000, end),
    ...(result === undefined ? {} : { kinds: result === 'refused' ? refusedKinds : doneKinds }),
  }
}

/** Whether a filter leaves out entries that are read. */
function isSelective({ actor, action, identity, result }: AuditFilter): boolean {
  const ofKind = result === undefined || result === 'refused'
  return actor !== undefined || action !== undefined || identity !== undefined || !ofKind
}

function matcher({ actor, action, result, identity }: AuditFilter): (entry: AuditEntry) => boolean {
  return (entry) =>
    (actor === undefined || entry.actor?.identity === actor) &&
    (action === undefined || entry.action === action || entry.action.startsWith(`${action}.`)) &&
    (result === undefined || entry.result === result) &&
    (identity === undefined || entry.target?.identity === identity)
}

function placeOf(cursor: string | undefined): AuditPlace | undefined {
  if (cursor === undefined) {
    return undefined
  }
  const place = auditPlaceOf(cursor)
  if (place === undefined) {
    throw badCursor()
  }
  return place
}

function page(entries: AuditEntry[], last: AuditPlace | undefined, isEnd: boolean) {
  return { entries, isEnd, ...(last === undefined ? {} : { cursor: auditCursorOf(last) }) }
}
