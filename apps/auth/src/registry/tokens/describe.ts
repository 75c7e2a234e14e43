import { partitionOfId } from '../ids.js'
import { partitionsOf, type Registry } from '../registry.js'
import { readTokens, type TokenRecord } from './record.js'

/** Returns the records of tokens by id, without tokens that are unknown or have expired. */
export async function describeTokens(
  registry: Registry,
  jtis: readonly string[],
): Promise<Map<string, TokenRecord>> {
  const tokens = await Promise.all(
    partitionsOf(registry).map((partition) =>
      readTokens(
        registry,
        partition,
        jtis.filter((jti) => partitionOfId(jti, registry.partitions) === partition),
      ),
    ),
  )
  return new Map(
    tokens
      .flat()
      .filter((token) => token !== undefined)
      .map((token) => [token.jti, token]),
  )
}
