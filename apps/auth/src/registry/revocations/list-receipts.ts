import type { Receipt, ReceiptPage } from '@portcullis/contracts/revocations'
import { badCursor } from '../errors.js'
import { isEverywhere } from '../ids.js'
import { partitionsOf, type Registry } from '../registry.js'
import { guard } from '../run.js'
import { findReceipt } from './get-receipt.js'

/** The position of a receipt in the list. */
interface Place {
  us: number
  id: string
}

/**
 * Returns a page of receipts, newest first. The cursor is the position of the last one,
 * `<microsecond>.<id>`, so pages neither repeat nor skip a receipt.
 *
 * @throws RegistryError `bad_cursor`
 */
export async function listReceipts(
  registry: Registry,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<ReceiptPage> {
  const after = cursor === undefined ? undefined : placeOf(cursor)
  const lists = await Promise.all(
    partitionsOf(registry).map((partition) => readPlaces(registry, partition, limit, after)),
  )
  const places = lists.flat().sort(newestFirst)
  const page = places.slice(0, limit)
  const found = await Promise.all(page.map(({ id }) => findReceipt(registry, id)))
  const last = page.at(-1)
  return {
    revocations: found.filter((receipt): receipt is Receipt => receipt !== undefined),
    ...(places.length > limit && last !== undefined ? { cursor: `${last.us}.${last.id}` } : {}),
  }
}

/**
 * Reads the next positions of a partition: two more than the page needs, because one may share the
 * cursor's microsecond.
 */
async function readPlaces(
  { redis, keys }: Registry,
  partition: number,
  limit: number,
  after: Place | undefined,
): Promise<Place[]> {
  const reply = await guard(
    redis.zrevrangebyscore(
      keys.receipts(partition),
      after?.us ?? '+inf',
      '-inf',
      'WITHSCORES',
      'LIMIT',
      0,
      limit + 2,
    ),
  )
  const places: Place[] = []
  for (let i = 0; i + 1 < reply.length; i += 2) {
    places.push({ id: reply[i] ?? '', us: Number(reply[i + 1]) })
  }
  return places.filter(
    (place) =>
      // A revocation of everything has a receipt in every partition; list that of the first.
      (partition === 0 || !isEverywhere(place.id)) &&
      (after === undefined || newestFirst(after, place) < 0),
  )
}

function newestFirst(a: Place, b: Place): number {
  return b.us - a.us || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
}

function placeOf(cursor: string): Place {
  const [, us, id] = /^([0-9]{1,16})\.((?:[0-9]{1,5}|all)-[A-Za-z0-9_-]{22})$/.exec(cursor) ?? []
  if (us === undefined || id === undefined) {
    throw badCursor()
  }
  return { us: Number(us), id }
}
