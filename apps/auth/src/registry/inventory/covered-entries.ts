import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import type { AsOf } from '../tokens/cutoffs.js'
import {
  allTokensMember,
  countEntries,
  type Entry,
  oldestUs,
  readEntries,
  revokedByIdMember,
  type Span,
} from './token-index.js'

/** How many cut-offs of subjects, labels and parents are read at most. */
const maxCutoffs = 50_000
const cutoffsPerRead = 1000

/**
 * Entries of one member that are all revoked: those up to its cut-off, or those of
 * `revokedByIdMember`.
 */
export interface Covered {
  member: string
  span: Span
  size: number
}

/**
 * Returns the entries of the span that are revoked by their own id, or by cut-offs of other members
 * than `own`. A token may be in several of them, and some are tokens that `own` does not select;
 * but since a token has one subject, other subjects are left out when `own` is a subject. Returns
 * undefined when there are too many cut-offs to read.
 */
export async function coveredBeside(
  registry: Registry,
  {
    partition,
    identity,
    span,
    asOf,
  }: {
    partition: number
    identity: string
    span: Span
    asOf: AsOf
  },
  own: string,
): Promise<Covered[] | undefined> {
  const { redis, keys } = registry
  const indexKey = keys.index(partition, identity)
  // Cut-offs are kept longer than the tokens that they cover, so most cover nothing any more.
  const from = Math.max(span.from, (await oldestUs(registry, indexKey)) ?? span.to)
  const found = await sized(registry, indexKey, [
    { member: revokedByIdMember, span: { ...span, from } },
  ])
  for (let offset = 0; offset < maxCutoffs; offset += cutoffsPerRead) {
    const reply = await guard(
      redis.zrangebyscore(
        keys.cutoffs(partition, identity),
        from,
        '+inf',
        'WITHSCORES',
        'LIMIT',
        offset,
        cutoffsPerRead,
      ),
    )
    const page: Omit<Covered, 'size'>[] = []
    for (let i = 0; i + 1 < reply.length; i += 2) {
      const member = reply[i] ?? ''
      if (member === allTokensMember || member === own || (isSubject(own) && isSubject(member))) {
        continue
      }
      const to = Math.min(asOf(member, Number(reply[i + 1])), span.to)
      if (to >= from) {
        page.push({ member, span: { from, to } })
      }
    }
    found.push(...(await sized(registry, indexKey, page)))
    if (reply.length < 2 * cutoffsPerRead) {
      return found
    }
  }
  return undefined
}

/** Returns the entries, each token once, newest first. */
export async function readCovered(
  registry: Registry,
  indexKey: string,
  covered: readonly Covered[],
): Promise<Entry[]> {
  const lists = await Promise.all(
    covered.map(({ member, span, size }) => readEntries(registry, indexKey, member, span, size)),
  )
  const entries = new Map(lists.flat().map((entry) => [entry.jti, entry]))
  return [...entries.values()].sort((a, b) => b.issuedUs - a.issuedUs)
}

export function sizeOf(covered: readonly Covered[]): number {
  return covered.reduce((sum, { size }) => sum + size, 0)
}

/** Returns true when the member selects the tokens of a subject. */
export function isSubject(member: string): boolean {
  return member.startsWith('s:')
}

async function sized(
  registry: Registry,
  indexKey: string,
  spans: readonly Omit<Covered, 'size'>[],
): Promise<Covered[]> {
  const sizes = await countEntries(
    registry,
    spans.map((one) => ({ ...one, indexKey })),
  )
  return spans
    .map((one, index) => ({ ...one, size: sizes[index] ?? 0 }))
    .filter(({ size }) => size > 0)
}
