import { createHash } from 'node:crypto'
import type { Identity } from '@portcullis/contracts'
import { script } from '@portcullis/redis'
import { identitySuspended, RegistryError, TooManyWrongCodesError } from './errors.js'
import { type IdentityReply, identityOf } from './identity-record.js'
import { partitionOf } from './ids.js'
import { hashOfCode } from './registration-code.js'
import type { Registry } from './registry.js'
import { run } from './run.js'

const checkCode = script<number | 'wrong' | IdentityReply>(
  new URL('../../src/registry/lua/authenticate.lua', import.meta.url),
)

export interface Authenticated {
  identity: Identity
}

/**
 * Checks a registration code that is shown from an address. Codes are looked up by their hash, so no
 * comparison tells by its time how much of a guess was right; and one script does the same work for
 * every code that is not right, whether there is such an identity or not.
 *
 * Who shows wrong codes has to wait, longer each time (`Registry.wrongCodes`). They are counted for an
 * identity and an address together: counted for the identity alone, anyone could lock its rightful
 * holder out from anywhere; for the address alone, one client with an old code would stop all those
 * that share its address. What an address may do against many identities is limited elsewhere
 * (`callers/client.ts`). Requests that are on their way at the same moment are all looked at: a limit
 * that counted before it knew would stop a client that authenticates often, and rightly.
 *
 * @param from - the address, as limits see it
 * @throws RegistryError `invalid_client`, alike for an unknown identity and for a code that is wrong
 * or has expired; `identity_suspended` only to someone whose code is right
 * @throws TooManyWrongCodesError while one has to wait; no code is looked at meanwhile
 */
export async function authenticate(
  registry: Registry,
  identity: string,
  code: string,
  from = '',
): Promise<Authenticated> {
  const partition = partitionOf(identity, registry.partitions)
  const { keys, wrongCodes } = registry
  const reply = await run(
    registry,
    checkCode,
    [
      keys.identity(partition, identity),
      keys.codes(partition, identity),
      keys.wrongCodes(partition, hashOfGuesser(identity, from)),
    ],
    [hashOfCode(code), wrongCodes.allowed, wrongCodes.waitMs, wrongCodes.maxWaitMs],
  )
  if (typeof reply === 'number') throw new TooManyWrongCodesError(reply)
  if (reply === 'wrong')
    throw new RegistryError(
      'invalid_client',
      'the identity or its registration code is wrong, or the code has expired',
    )
  const found = identityOf(identity, reply)
  if (found.state !== 'active') throw identitySuspended(identity)
  return { identity: found }
}

/** Of a length of its own: what is sent as an identity may be long, and need not exist. */
function hashOfGuesser(identity: string, from: string): string {
  return createHash('sha256')
    .update(JSON.stringify([identity, from]))
    .digest('base64url')
}
