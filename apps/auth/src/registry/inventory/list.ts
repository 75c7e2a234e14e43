import type { ListTokens, TokenInfo, TokenPage } from '@portcullis/contracts/tokens'
import { badCursor } from '../errors.js'
import { namePattern } from '../identities/list.js'
import { walkIdentities } from '../identities/walk.js'
import type { Registry } from '../registry.js'
import { withIdentity } from './token-filter.js'
import { hasTokens, type Looked, walkTokens } from './walk.js'

/** What is rare among many: the page ends early, with a cursor to go on from. */
const tokensAtMost = 1000
const identitiesAtMost = 1000

/** How far a page has come: to this token of this identity; 0: through all that it has. */
interface Place {
  identity: string
  issuedUs: number
}

/**
 * Tokens that have not expired, newest first; without `identity` those of every identity that is
 * registered, one after the other by name. The cursor is the microsecond of the last token looked at,
 * which no other token of the identity shares, and the identity: pages neither repeat nor skip a token,
 * whatever is issued, revoked or expires between them. A page may be short, even empty, and still have
 * a cursor, when what it looks for is rare and has no index.
 *
 * A name that was deleted and registered again lists only the tokens of its new identity.
 *
 * @throws RegistryError `bad_cursor`
 */
export async function listTokens(registry: Registry, asked: ListTokens): Promise<TokenPage> {
  const query = await withIdentity(registry, asked)
  if (query === undefined) {
    return { tokens: [] }
  }
  const { limit = 100, cursor } = query
  let place = cursor === undefined ? undefined : placeOf(cursor, query.identity)
  const tokens: TokenInfo[] = []
  let read = 0
  let identities = 0
  const pageSoFar = () => ({
    tokens,
    ...(place === undefined ? {} : { cursor: cursorOf(place, query.identity) }),
  })
  for await (const { identity, looked } of walk(registry, query, place)) {
    for (const { issuedUs, token } of looked) {
      // Only one more that is wanted shows that there is a next page.
      if (token !== undefined && tokens.length === limit) {
        return pageSoFar()
      }
      if (token !== undefined) {
        tokens.push(token)
      }
      place = { identity, issuedUs }
    }
    if (looked.length === 0) {
      place = { identity, issuedUs: 0 }
      identities += 1
    }
    read += looked.length
    if (read >= tokensAtMost || identities >= identitiesAtMost) {
      return pageSoFar()
    }
  }
  return { tokens }
}

/** Looks at tokens in the order of the list; after the last of each identity at none. */
async function* walk(
  registry: Registry,
  query: ListTokens,
  from: Place | undefined,
): AsyncGenerator<{ identity: string; looked: readonly Looked[] }> {
  const walkOne = async function* (identity: string, below?: number) {
    for await (const looked of walkTokens(registry, identity, query, below)) {
      yield { identity, looked }
    }
    yield { identity, looked: [] }
  }
  if (query.identity !== undefined) {
    yield* walkOne(query.identity, from?.issuedUs)
    return
  }
  if (from !== undefined) {
    yield* walkOne(from.identity, from.issuedUs)
  }
  for await (const names of walkIdentities(registry, { after: from?.identity })) {
    const has = await Promise.all(names.map((name) => hasTokens(registry, name, query)))
    for (const [index, identity] of names.entries()) {
      if (has[index]) {
        yield* walkOne(identity)
      } else {
        yield { identity, looked: [] }
      }
    }
  }
}

function cursorOf({ identity, issuedUs }: Place, asked: string | undefined): string {
  return asked === undefined ? `${issuedUs}.${identity}` : `${issuedUs}`
}

function placeOf(cursor: string, asked: string | undefined): Place {
  const [, issuedUs, identity = asked] = /^([0-9]{1,16})(?:\.(.*))?$/.exec(cursor) ?? []
  if (issuedUs === undefined || identity === undefined || !namePattern.test(identity)) {
    throw badCursor()
  }
  if (asked !== undefined && identity !== asked) {
    throw badCursor()
  }
  return { identity, issuedUs: Number(issuedUs) }
}
