import type { ClientKey } from '@portcullis/contracts/clients'
import type { Identity } from '@portcullis/contracts/identities'
import { decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { endpoints } from '../endpoints.js'
import { type Registry, useOnce } from '../registry/index.js'
import { algorithmsOf } from './client-keys.js'

/** How far ahead the expiry of a JWT that a client signs may lie, in seconds. */
export const maxAheadSeconds = 300

/** Clocks of clients and ours may differ by so much, in seconds. */
const toleranceSeconds = 5

/** Until no instance takes it any more, though their clocks differ a little. */
const rememberSeconds = maxAheadSeconds + 2 * toleranceSeconds + 60

/** A JWT that a client has signed, and whom it is to be for. */
export interface ShownJwt {
  text: string
  issuer: string
  /** Header types that it may have, beside none. */
  types: readonly string[]
}

/**
 * Takes a JWT that this identity has signed with one of its keys, once: `iss` is the identity, `aud`
 * this issuer or its token endpoint and nobody else, `exp` near, `jti` not used before at any
 * instance (RFC 7523 §3). Gives its subject, or undefined without saying why.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function takeClientJwt(
  registry: Registry,
  { identity, jwks }: Identity,
  shown: ShownJwt,
): Promise<string | undefined> {
  const payload = await verified(identity, jwks?.keys ?? [], shown)
  if (payload === undefined) {
    return undefined
  }
  const fresh = await useOnce(registry, identity, payload.jti, rememberSeconds)
  return fresh ? payload.sub : undefined
}

async function verified(
  identity: string,
  keys: readonly ClientKey[],
  { text, issuer, types }: ShownJwt,
): Promise<{ sub: string; jti: string } | undefined> {
  try {
    const key = keyFor(keys, text)
    if (key === undefined) {
      return undefined
    }
    const { payload, protectedHeader } = await jwtVerify(text, key, {
      algorithms: [...algorithmsOf(key)],
      issuer: identity,
      audience: [issuer, endpoints(issuer).token],
      requiredClaims: ['sub', 'exp', 'jti'],
      clockTolerance: toleranceSeconds,
    })
    const { typ } = protectedHeader
    if (typ !== undefined && !types.includes(typ.toLowerCase())) {
      return undefined
    }
    return isBounded(payload) ? payload : undefined
  } catch {
    return undefined
  }
}

/** The one key that a JWT can be of, by `kid` if it names one, and by what that key signs with. */
function keyFor(keys: readonly ClientKey[], text: string): ClientKey | undefined {
  const { kid, alg = '', crit } = decodeProtectedHeader(text)
  // There is no extension that a JWT of a client could need us to understand.
  if (crit !== undefined) {
    return undefined
  }
  const fitting = keys.filter(
    (key) => (kid === undefined || key.kid === kid) && algorithmsOf(key).includes(alg),
  )
  return fitting.length === 1 ? fitting[0] : undefined
}

function isBounded(payload: JWTPayload): payload is JWTPayload & { sub: string; jti: string } {
  const { sub, aud, exp = Number.POSITIVE_INFINITY, jti } = payload
  const latest = Date.now() / 1000 + maxAheadSeconds + toleranceSeconds
  return (
    typeof sub === 'string' &&
    typeof jti === 'string' &&
    jti !== '' &&
    exp <= latest &&
    // Made for others as well, one of them could use it here.
    (typeof aud === 'string' || aud?.length === 1)
  )
}
