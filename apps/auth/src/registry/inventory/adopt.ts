import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { guard, run } from '../run.js'

const adopt = script<null>(
  new URL('../lua/token-index.lua', import.meta.url),
  new URL('./adopt.lua', import.meta.url),
)
const atOnce = 500

/**
 * Takes the tokens that an instance of a version before the index has issued to an identity into it.
 * They are in two sets of their own, which are there no longer when all are taken, or have expired.
 * Gives whether all are, after `most` at most.
 */
export async function adoptTokens(
  registry: Registry,
  partition: number,
  identity: string,
  most: number = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const { redis, keys } = registry
  const [tokens, expiries] = [keys.tokens(partition, identity), keys.expiries(partition, identity)]
  for (let done = 0; done < most; done += atOnce) {
    const jtis = await guard(redis.zrange(expiries, 0, `${atOnce - 1}`))
    if (jtis.length === 0) {
      return true
    }
    const names = [
      keys.index(partition, identity),
      keys.expiring(partition, identity),
      tokens,
      expiries,
      ...jtis.map((jti) => keys.token(partition, jti)),
    ]
    await run(registry, adopt, names, jtis)
  }
  return false
}
