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

/** Where a registration code was sent from, which decides how a wrong code is answered. */
export interface CodeAttempt {
  /** The address, as the limits see it. */
  from?: string
  /** False to write nothing to Redis for a wrong code. Default: true. */
  counts?: boolean
}

/**
 * Checks a registration code, and returns the identity with the scopes that the code allows.
 *
 * Codes are looked up by their hash, so no comparison reveals by its time how much of a guess was
 * right. One script does the same work for every wrong code, whether or not the identity exists.
 *
 * A correct code always works. After several wrong codes (`Registry.wrongCodes`) the address is
 * told to wait, longer each time; wrong codes during a wait get the same answer and do not extend
 * it. The wait never applies to a correct code: callers behind one address cannot be told apart
 * before their codes are checked. Attempts of an address against many identities are limited
 * elsewhere (`callers/client.ts`).
 *
 * @throws RegistryError `invalid_client`, the same for an unknown identity and for a code that is
 * wrong or has expired; `identity_suspended` only when the code is correct
 * @throws TooManyWrongCodesError for a wrong code while the address must wait
 */
export async function authenticate(
  registry: Registry,
  identity: string,
  code: string,
  { from = '', counts = true }: CodeAttempt = {},
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
      keys.wrongCodes(partition, hashOfAttempt(identity, from)),
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
  const [fields, codes, nowMs, codeValue] = reply
  const found = underCeiling(identityOf(identity, [fields, codes, nowMs]), ceilingOfCode(codeValue))
  if (found.state !== 'active') {
    throw identitySuspended(identity)
  }
  return { identity: found }
}

/** A hash, because the identity is caller input: it may be long, and need not exist. */
function hashOfAttempt(identity: string, from: string): string {
  return createHash('sha256')
    .update(JSON.stringify([identity, from]))
    .digest('base64url')
}
