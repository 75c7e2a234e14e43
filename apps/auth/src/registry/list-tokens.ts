import type { ListTokens, TokenInfo, TokenPage } from '@portcullis/contracts'
import { readCutoffs } from './cutoffs.js'
import { badCursor } from './errors.js'
import { infoOf } from './get-token.js'
import { partitionOf } from './ids.js'
import type { Registry } from './registry.js'
import { guard } from './run.js'
import { readTokens } from './token-record.js'

const readAtOnce = 500
/** A rare subject among very many tokens: the page ends early, with a cursor to go on from. */
const readAtMost = 10_000

/**
 * An identity's tokens that have not expired, newest first. The cursor is the microsecond of the
 * last token looked at, which no other token of the identity shares: pages neither repeat nor skip
 * a token, whatever is issued or expires between them. With `subject` or `label` a page may be
 * short, even empty, and still have a cursor.
 *
 * A name that was deleted and registered again lists only the tokens of its new identity.
 *
 * @throws RegistryError `bad_cursor`
 */
export async function listTokens(registry: Registry, query: ListTokens): Promise<TokenPage> {
  const { identity, subject, label, limit = 100, cursor } = query
  if (cursor !== undefined && !/^[0-9]{1,16}$/.test(cursor)) throw badCursor()
  const { redis, keys } = registry
  const partition = partitionOf(identity, registry.partitions)
  const created = await guard(redis.hget(keys.identity(partition, identity), 'createdUs'))

  const tokens: TokenInfo[] = []
  let last = cursor
  for (let read = 0; read < readAtMost; read += readAtOnce) {
    const reply = await guard(
      redis.zrevrangebyscore(
        keys.tokens(partition, identity),
        last === undefined ? '+inf' : `(${last}`,
        created ?? '-inf',
        'WITHSCORES',
        'LIMIT',
        0,
        readAtOnce,
      ),
    )
    const page = pairs(reply)
    const records = await readTokens(
      registry,
      partition,
      page.map(({ jti }) => jti),
    )
    const live = records.filter((token) => token !== undefined)
    const cutoffs = await readCutoffs(registry, partition, identity, live)
    for (const [index, { issuedUs }] of page.entries()) {
      const token = records[index]
      const wanted =
        token !== undefined &&
        (subject === undefined || token.subject === subject) &&
        (label === undefined || token.labels.includes(label))
      // Only one more that is wanted shows that there is a next page.
      if (wanted && tokens.length === limit)
        return last === undefined ? { tokens } : { tokens, cursor: last }
      if (wanted) tokens.push(infoOf(token, cutoffs))
      last = issuedUs
    }
    if (page.length < readAtOnce) return { tokens }
  }
  return { tokens, ...(last === undefined ? {} : { cursor: last }) }
}

/** Members and scores of a WITHSCORES reply. */
function pairs(reply: readonly string[]): { jti: string; issuedUs: string }[] {
  const found: { jti: string; issuedUs: string }[] = []
  for (let i = 0; i + 1 < reply.length; i += 2)
    found.push({ jti: reply[i] ?? '', issuedUs: reply[i + 1] ?? '' })
  return found
}
