import type { ListTokens, TokenInfo } from '@portcullis/contracts/tokens'
import { partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { asOfNow, readCutoffs } from '../tokens/cutoffs.js'
import { infoOf } from '../tokens/get.js'
import { readTokens } from '../tokens/record.js'
import { narrowest, readBase } from './count-index.js'
import { coveredBeside, readCovered, sizeOf } from './covered-entries.js'
import { isWanted, membersOf, spanOf } from './token-filter.js'
import { countEntries, type Entry, readEntries, type Span } from './token-index.js'

const pageSize = 500
/**
 * A list of revoked tokens sorts at most this many entries; with more it reads every token instead.
 */
const maxSorted = 10_000

/** A token that a list has read; `token` is set when it matches the query. */
export interface VisitedToken {
  issuedUs: number
  token?: TokenInfo
}

/** Returns false when the identity cannot have a token that matches the query. */
export async function hasTokens(
  registry: Registry,
  identity: string,
  query: ListTokens,
): Promise<boolean> {
  const partition = partitionOf(identity, registry.partitions)
  const indexKey = registry.keys.index(partition, identity)
  const span = spanOf(query)
  const wanted = membersOf(query).map((member) => ({ indexKey, member, span }))
  return (await countEntries(registry, wanted)).every((count) => count > 0)
}

/**
 * Visits an identity's tokens, newest first, in pages; those issued before microsecond `below`.
 * Reads only the part of the index that can match the query.
 */
export async function* walkTokens(
  registry: Registry,
  identity: string,
  query: ListTokens,
  below: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly VisitedToken[]> {
  const partition = partitionOf(identity, registry.partitions)
  for await (const entries of entriesOf(registry, { partition, identity, query, below })) {
    const records = await readTokens(
      registry,
      partition,
      entries.map(({ jti }) => jti),
    )
    const live = records.filter((token) => token !== undefined)
    const cutoffs = await readCutoffs(registry, partition, identity, live)
    yield entries.map(({ issuedUs }, index) => {
      const record = records[index]
      if (record === undefined || !isWanted(query, record)) {
        return { issuedUs }
      }
      const token = infoOf(record, cutoffs)
      const { state = token.state } = query
      return token.state === state ? { issuedUs, token } : { issuedUs }
    })
  }
}

interface Walk {
  partition: number
  identity: string
  query: ListTokens
  below: number
}

async function* entriesOf(
  registry: Registry,
  { partition, identity, query, below }: Walk,
): AsyncGenerator<readonly Entry[]> {
  const indexKey = registry.keys.index(partition, identity)
  const members = membersOf(query)
  const { created, base } = await readBase(
    registry,
    { partition, identity, asOf: asOfNow },
    members,
  )
  const { from, to } = spanOf(query)
  const span = { from: Math.max(from, created), to: Math.min(to, below - 1) }
  const above = { ...span, from: Math.max(span.from, base + 1) }
  const { member } = await narrowest(registry, indexKey, members, span)
  const pages = (span: Span) =>
    readPages(registry, { indexKey, member, span, first: firstPageSize(query) })
  if (query.state === undefined) {
    yield* pages(span)
  } else if (query.state === 'active') {
    yield* pages(above)
  } else {
    const place = { partition, identity, span: above, asOf: asOfNow }
    const covered = await coveredBeside(registry, place, member)
    if (covered === undefined || sizeOf(covered) > maxSorted) {
      yield* pages(span)
      return
    }
    const entries = await readCovered(registry, indexKey, covered)
    for (let at = 0; at < entries.length; at += pageSize) {
      yield entries.slice(at, at + pageSize)
    }
    yield* pages({ ...span, to: Math.min(span.to, base) })
  }
}

/** Returns the size of the first page: no more than the list needs, when every token matches. */
function firstPageSize(query: ListTokens): number {
  const { limit = 100, expiresBefore } = query
  const all = membersOf(query).length === 1 && expiresBefore === undefined
  return all && query.state === undefined ? Math.min(limit + 1, pageSize) : pageSize
}

async function* readPages(
  registry: Registry,
  {
    indexKey,
    member,
    span,
    first,
  }: { indexKey: string; member: string; span: Span; first: number },
): AsyncGenerator<readonly Entry[]> {
  let { to } = span
  for (let atOnce = first; ; atOnce = pageSize) {
    const entries = await readEntries(registry, indexKey, member, { ...span, to }, atOnce)
    if (entries.length > 0) {
      yield entries
    }
    const last = entries.at(-1)
    if (last === undefined || entries.length < atOnce) {
      return
    }
    to = last.issuedUs - 1
  }
}
