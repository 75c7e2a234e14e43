import type { ClientKey } from '@portcullis/contracts/clients'
import type { Identity } from '@portcullis/contracts/identities'
import { decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { endpoints } from '../endpoints.js'
import { type Registry, useOnce } from '../registry/index.js'
import { algorithmsOf } from './client-keys.js'

/** Upper bound of the seconds from now to the expiry of a client's JWT. */
export const maxAheadSeconds = 300

/** Tolerated difference of a client's clock. */
const toleranceSeconds = 5

/** Until every instance refuses the JWT as expired, with a minute for differences of their clocks. */
const rememberSeconds = maxAheadSeconds + 2 * toleranceSeconds + 60

/** A JWT that a client has signed, and the issuer that it must be for. */
export interface PresentedJwt {
  text: string
  issuer: string
  /** Accepted values of the header's `typ`, which may also be absent. */
  types: readonly string[]
}

/**
 * Verifies a JWT that this identity has signed with one of its keys, and accepts it once (RFC 7523
 * §3): `iss` is the identity, `aud` is only this issuer or its token endpoint, `exp` is near, and
 * no instance has seen `jti`. Returns the JWT's subject; undefined for an invalid JWT, without a
 * reason.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function acceptClientJwt(
  registry: Registry,
  { identity, jwks }: Identity,
  presented: PresentedJwt,
): Promise<string | undefined> {
  const payload = await verified(identity, jwks?.keys ?? [], presented)
  if (payload === undefined) {
    return undefined
  }
  const isNew = await useOnce(registry, identity, payload.jti, rememberSeconds)
  return isNew ? payload.sub : undefined
}

async function verified(
  identity: string,
  keys: readonly ClientKey[],
  { text, issuer, types }: PresentedJwt,
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
    return hasValidClaims(payload) ? payload : undefined
  } catch {
    return undefined
  }
}

/**
 * Returns the one key that fits a JWT's `kid` (if present) and `alg`; undefined if several keys
 * fit.
 */
function keyFor(keys: readonly ClientKey[], text: string): ClientKey | undefined {
  const { kid, alg = '', crit } = decodeProtectedHeader(text)
  // `crit` names extensions that we must understand (RFC 7515 §4.1.11); we know none.
  if (crit !== undefined) {
    return undefined
  }
  const matching = keys.filter(
    (key) => (kid === undefined || key.kid === kid) && algorithmsOf(key).includes(alg),
  )
  return matching.length === 1 ? matching[0] : undefined
}

function hasValidClaims(payload: JWTPayload): payload is JWTPayload & { sub: string; jti: string } {
  const { sub, aud, exp = Number.POSITIVE_INFINITY, jti } = payload
  const latest = Date.now() / 1000 + maxAheadSeconds + toleranceSeconds
  return (
    typeof sub === 'string' &&
    typeof jti === 'string' &&
    jti !== '' &&
    exp <= latest &&
    // Another recipient of the same JWT could use it here.
    (typeof aud === 'string' || aud?.length === 1)
  )
}
