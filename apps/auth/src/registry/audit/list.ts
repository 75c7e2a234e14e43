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

const batchSize = 500
/** When few entries match, a page ends after this many, with a cursor to continue from. */
const maxRead = 1000

/**
 * Returns a page of the audit log; see `ListAudit` of contracts. The cursor is the position of the
 * last entry that was read, so pages neither repeat nor skip an entry while entries are added and
 * removed.
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
  const atOnce = isSelective(query) ? batchSize : Math.min(limit + 1, batchSize)
  for (let read = 0; read < maxRead; read += atOnce) {
    const batch = await readAudit(registry, { ...range, order, after: last, limit: atOnce })
    for (const { place, entry } of batch) {
      // One more match shows that there is a next page.
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
 * Yields the audit log as of now, oldest first, in batches: a slow reader holds one batch in
 * memory.
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
        limit: batchSize,
      })
      yield batch.map(({ entry }) => entry).filter(wanted)
      after = batch.at(-1)?.place
      if (batch.length < batchSize) {
        return
      }
    }
  })()
}

const refusedKinds = ['refusals', 'attempts'] as const
const doneKinds = ['acts', 'issues'] as const

/** Returns the time and kinds to read for a filter. */
async function rangeOf(
  registry: Registry,
  { maxAgeMs }: AuditRetention,
  { from = 0, to, result }: AuditFilter,
): Promise<Pick<AuditRange, 'fromUs' | 'toUs' | 'kinds'>> {
  const end = await auditEnd(registry)
  return {
    // Entries that are too old are removed with the next append; do not show them until then.
    fromUs: Math.max(from * 1000, end - maxAgeMs * 1000, 0),
    toUs: Math.min(to === undefined ? end : to * 1000, end),
    ...(result === undefined ? {} : { kinds: result === 'refused' ? refusedKinds : doneKinds }),
  }
}

/** Returns true when the filter excludes entries that are read. */
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
