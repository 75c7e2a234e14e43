import type { ClientKey } from '@portcullis/contracts/clients'
import type { Identity } from '@portcullis/contracts/identities'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { endpoints } from '../endpoints.js'
import { type Registry, useOnce } from '../registry/index.js'
import { algorithmsOf } from './client-keys.js'

/**
 * Upper bound of the seconds from now to the expiry of a client's JWT. Some libraries sign for an hour
 * by default.
 */
export const maxAheadSeconds = 3600

/** Tolerated difference of a client's clock. */
const toleranceSeconds = 5

/** How long a JWT is remembered after its expiry: the clocks of auth instances may differ. */
const rememberSeconds = 2 * toleranceSeconds + 60

/** A JWT that a client has signed, and the issuer that it must be for. */
export interface PresentedJwt {
  text: string
  issuer: string
  /** Accepted values of the header's `typ`, which may also be absent. */
  types: readonly string[]
}

/**
 * `fault`: the rule that the JWT breaks, in words. Only for a JWT that the identity has signed;
 * others learn nothing.
 */
export type ClientJwtOutcome = { subject: string } | { fault?: string }

/**
 * Verifies a JWT that this identity has signed with one of its keys, and accepts it once (RFC 7523
 * §3): `iss` is the identity, `aud` is only this issuer or its token endpoint, `exp` is near, and
 * no instance has seen `jti`.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function acceptClientJwt(
  registry: Registry,
  { identity, jwks }: Identity,
  presented: PresentedJwt,
): Promise<ClientJwtOutcome> {
  const claims = await verified(identity, jwks?.keys ?? [], presented)
  if (!('exp' in claims)) {
    return claims
  }
  const { sub, jti, exp } = claims
  const leftSeconds = Math.max(0, Math.ceil(exp - Date.now() / 1000))
  const isNew = await useOnce(registry, identity, jti, leftSeconds + rememberSeconds)
  return isNew ? { subject: sub } : { fault: 'its jti was used before' }
}

interface ClientClaims {
  sub: string
  jti: string
  exp: number
}

async function verified(
  identity: string,
  keys: readonly ClientKey[],
  { text, issuer, types }: PresentedJwt,
): Promise<ClientClaims | { fault?: string }> {
  try {
    const key = keyFor(keys, text)
    if (key === undefined) {
      return {}
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
      return { fault: `its typ must be ${types.join(' or ')}, or absent` }
    }
    return claimsOf(payload)
  } catch (error) {
    return faultOf(error, issuer)
  }
}

/** jose verifies claims after the signature, so an error about a claim is one of a signed JWT. */
function faultOf(error: unknown, issuer: string): { fault?: string } {
  if (error instanceof errors.JWTExpired) {
    return { fault: 'its exp has passed' }
  }
  if (!(error instanceof errors.JWTClaimValidationFailed)) {
    return {}
  }
  const { claim, reason } = error
  if (reason === 'missing') {
    return { fault: `it has no ${claim}` }
  }
  const rules: Readonly<Record<string, string>> = {
    aud: `its aud must be ${issuer} or ${endpoints(issuer).token}`,
    nbf: 'its nbf lies in the future',
    iat: 'its iat lies in the future',
  }
  return { fault: rules[claim] ?? `its ${claim} is not valid` }
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

function claimsOf({ sub, aud, exp, jti }: JWTPayload): ClientClaims | { fault: string } {
  if (typeof sub !== 'string' || typeof jti !== 'string' || jti === '' || exp === undefined) {
    return { fault: 'its sub and jti must be text' }
  }
  if (exp > Date.now() / 1000 + maxAheadSeconds + toleranceSeconds) {
    return { fault: `its exp is more than ${maxAheadSeconds} seconds ahead` }
  }
  // Another recipient of the same JWT could use it here.
  return typeof aud === 'string' || aud?.length === 1
    ? { sub, jti, exp }
    : { fault: 'its aud must name one recipient' }
}
