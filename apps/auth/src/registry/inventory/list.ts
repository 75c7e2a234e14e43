import type { ListTokens, TokenInfo, TokenPage } from '@portcullis/contracts/tokens'
import { badCursor } from '../errors.js'
import { namePattern } from '../identities/list.js'
import { walkIdentities } from '../identities/walk.js'
import type { Registry } from '../registry.js'
import { withIdentity } from './token-filter.js'
import { hasTokens, type VisitedToken, walkTokens } from './walk.js'

/**
 * When few tokens match, a page ends after this many tokens or identities, with a cursor to
 * continue from.
 */
const maxTokensRead = 1000
const maxIdentitiesRead = 1000

/**
 * The position of a page's end: the last token visited, by identity and issue time. `issuedUs` is 0
 * after the identity's last token.
 */
interface Place {
  identity: string
  issuedUs: number
}

/**
 * Returns a page of tokens that have not expired, newest first; without `identity`, those of every
 * registered identity, by name. The cursor is the position of the last token visited, which no
 * other token shares: pages neither repeat nor skip a token while tokens are issued, revoked or
 * expire. A page may be short or empty and still have a cursor when few tokens match and no index
 * selects them.
 *
 * For a name that was deleted and registered again, lists only the tokens of the new identity.
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
  for await (const { identity, visited } of walk(registry, query, place)) {
    for (const { issuedUs, token } of visited) {
      // One more match shows that there is a next page.
      if (token !== undefined && tokens.length === limit) {
        return pageSoFar()
      }
      if (token !== undefined) {
        tokens.push(token)
      }
      place = { identity, issuedUs }
    }
    if (visited.length === 0) {
      place = { identity, issuedUs: 0 }
      identities += 1
    }
    read += visited.length
    if (read >= maxTokensRead || identities >= maxIdentitiesRead) {
      return pageSoFar()
    }
  }
  return { tokens }
}

/**
 * Visits tokens in the order of the list. Yields an empty list after the last token of each
 * identity.
 */
async function* walk(
  registry: Registry,
  query: ListTokens,
  from: Place | undefined,
): AsyncGenerator<{ identity: string; visited: readonly VisitedToken[] }> {
  const walkOne = async function* (identity: string, below?: number) {
    for await (const visited of walkTokens(registry, identity, query, below)) {
      yield { identity, visited }
    }
    yield { identity, visited: [] }
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
        yield { identity, visited: [] }
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
