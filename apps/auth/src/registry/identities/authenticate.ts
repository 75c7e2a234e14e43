import { createHash } from 'node:crypto'
import type { Identity } from '@portcullis/contracts/identities'
import { script } from '@portcullis/redis'
import { identitySuspended, RegistryError, TooManyWrongCodesError } from '../errors.js'
import { partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { underCeiling } from './ceiling.js'
import { ceilingOfCode, type IdentityReply, identityOf } from './record.js'
import { hashOfCode } from './registration-code.js'

const checkCode = script<number | 'wrong' | [...IdentityReply, code: string]>(
  new URL('./authenticate.lua', import.meta.url),
)

export interface Authenticated {
  identity: Identity
}

/** Where a registration code was shown, for what wrong ones cost there. */
export interface Shown {
  /** The address, as limits see it. */
  from?: string
  /** Whether a wrong code is counted. Where it is not, it leaves nothing behind in Redis. */
  counts?: boolean
}

/**
 * Checks a registration code that is shown from an address. Codes are looked up by their hash, so no
 * comparison tells by its time how much of a guess was right; and one script does the same work for
 * every code that is not right, whether there is such an identity or not.
 *
 * A right code always works. Whoever shows wrong ones is told to wait, longer each time
 * (`Registry.wrongCodes`), and is not let off by asking on: wrong codes during a wait get the same
 * answer and do not lengthen it. The wait binds no right code, because those who share an address, or
 * an identity, cannot be told apart before their code has been looked at, and to refuse one unseen
 * costs as much as to look. What an address may do against many identities is limited elsewhere
 * (`callers/client.ts`).
 *
 * The identity's scopes are those that the code is good for.
 *
 * @throws RegistryError `invalid_client`, alike for an unknown identity and for a code that is wrong
 * or has expired; `identity_suspended` only to someone whose code is right
 * @throws TooManyWrongCodesError for a wrong code while its sender has to wait
 */
export async function authenticate(
  registry: Registry,
  identity: string,
  code: string,
  { from = '', counts = true }: Shown = {},
): Promise<Authenticated> {
  const partition = partitionOf(identity, registry.partitions)
  const { keys, wrongCodes } = registry
  const { allowed, waitMs, maxWaitMs } = wrongCodes
  const reply = await run(
    registry,
    checkCode,
    [
      keys.identity(partition, identity),
      keys.codes(partition, identity),
      keys.wrongCodes(partition, hashOfGuesser(identity, from)),
    ],
    [hashOfCode(code), allowed, waitMs, maxWaitMs, counts ? '1' : '0'],
  )
  if (typeof reply === 'number') {
    throw new TooManyWrongCodesError(reply)
  }
  if (reply === 'wrong') {
    throw new RegistryError(
      'invalid_client',
      'the identity or its registration code is wrong, or the code has expired',
    )
  }
  const [fields, codes, nowMs, shown] = reply
  const found = underCeiling(identityOf(identity, [fields, codes, nowMs]), ceilingOfCode(shown))
  if (found.state !== 'active') {
    throw identitySuspended(identity)
  }
  return { identity: found }
}

/** Of a length of its own: what is sent as an identity may be long, and need not exist. */
function hashOfGuesser(identity: string, from: string): string {
  return createHash('sha256')
    .update(JSON.stringify([identity, from]))
    .digest('base64url')
}
