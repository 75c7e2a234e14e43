import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import type { AsOf } from '../tokens/cutoffs.js'
import {
  countEntries,
  type Entry,
  every,
  marked,
  oldestUs,
  readEntries,
  type Span,
} from './token-index.js'

/** Cut-offs of subjects and labels that are looked at, at most. */
const mostCutoffs = 50_000
const cutoffsAtOnce = 1000

/** Entries of one member that are revoked, every one: those up to its cut-off, or those marked. */
export interface Covered {
  member: string
  span: Span
  size: number
}

/**
 * What of an identity's tokens in the span is revoked by their own id, or by cut-offs of other members
 * than `own`: which entries, and how many. A token may be in several, and tokens are among them that
 * `own` does not select; but a token has one subject, so beside a subject's no other subject's are.
 * Undefined when there are too many cut-offs to say.
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
  // Cut-offs outlive what they cover, so most have nothing left to cover.
  const from = Math.max(span.from, (await oldestUs(registry, indexKey)) ?? span.to)
  const found = await sized(registry, indexKey, [{ member: marked, span: { ...span, from } }])
  for (let offset = 0; offset < mostCutoffs; offset += cutoffsAtOnce) {
    const reply = await guard(
      redis.zrangebyscore(
        keys.cutoffs(partition, identity),
        from,
        '+inf',
        'WITHSCORES',
        'LIMIT',
        offset,
        cutoffsAtOnce,
      ),
    )
    const page: Omit<Covered, 'size'>[] = []
    for (let i = 0; i + 1 < reply.length; i += 2) {
      const member = reply[i] ?? ''
      if (member === every || member === own || (isSubject(own) && isSubject(member))) {
        continue
      }
      const to = Math.min(asOf(member, Number(reply[i + 1])), span.to)
      if (to >= from) {
        page.push({ member, span: { from, to } })
      }
    }
    found.push(...(await sized(registry, indexKey, page)))
    if (reply.length < 2 * cutoffsAtOnce) {
      return found
    }
  }
  return undefined
}

/** The entries themselves, each token once, newest first. */
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

/** Whether it is the member of a subject's tokens. */
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
