import {
  type ActiveRecord,
  introspect as findActive,
  introspectOne as findOne,
  type Registry,
} from '../registry/index.js'
import type { DecodedToken } from './decode.js'
import type { Jwt } from './jwt.js'

/** An active token: its id and identity, and the registry's record of it. */
export interface ActiveToken {
  claims: Pick<DecodedToken, 'jti' | 'client_id'>
  record: ActiveRecord
}

/**
 * Returns the token if it is active. One round trip to the registry, or none when auth did not make its
 * id.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function introspectOne(
  registry: Registry,
  jwt: Jwt,
  text: string,
): Promise<ActiveToken | undefined> {
  const claims = jwt.decode(text)
  const record = claims && (await findOne(registry, claims))
  return claims && record && { claims, record }
}

/**
 * Returns the active tokens, in the order of `tokens`; undefined for each token that is not active.
 * One round trip to the registry, without tokens whose id auth did not make. A repeated token is
 * looked up once.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function introspect(
  registry: Registry,
  jwt: Jwt,
  tokens: readonly string[],
): Promise<(ActiveToken | undefined)[]> {
  const positions = new Map<string, number>()
  const decoded: DecodedToken[] = []
  for (const text of tokens) {
    if (positions.has(text)) {
      continue
    }
    const token = jwt.decode(text)
    positions.set(text, token === undefined ? -1 : decoded.push(token) - 1)
  }
  const records = await findActive(registry, decoded)
  return tokens.map((text) => {
    const position = positions.get(text) ?? -1
    const [claims, record] = [decoded[position], records[position]]
    return claims && record && { claims, record }
  })
}
