import { createPublicKey, type KeyObject } from 'node:crypto'
import type { ClientKey, ClientKeys } from '@portcullis/contracts/clients'
import { calculateJwkThumbprint } from 'jose'
import { AuthError } from '../errors.js'

/** Algorithms that clients may sign with. No MAC, because auth would have to store its secret. */
export const clientSigningAlgorithms = ['EdDSA', 'Ed25519', 'ES256', 'RS256', 'PS256'] as const

/** Members of private and symmetric keys (RFC 7518 §6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

/** Bounds the cost of a signature check, which comes before the caller is authenticated. */
const rsa = { minBits: 2048, maxBits: 4096, exponent: 65_537n }

/**
 * Checks a client's key set, and returns it with only the public members of each key, and with a
 * `kid` for each, by default its thumbprint.
 *
 * @throws AuthError `invalid_request` naming the invalid key and the reason
 */
export async function checkClientKeys({ keys }: ClientKeys): Promise<ClientKeys> {
  const checked = await Promise.all(keys.map(checkKey))
  const duplicate = checked.findIndex(
    (key, index) => checked.findIndex(({ kid }) => kid === key.kid) < index,
  )
  if (duplicate >= 0) {
    throw invalidKey(duplicate, 'another key has the same kid')
  }
  return { keys: checked }
}

/**
 * Returns the algorithms of a key. The key determines them, never the JWT's header (RFC 8725 §3.1).
 */
export function algorithmsOf({ kty, alg }: ClientKey): readonly string[] {
  // Two names of one algorithm: RFC 8037 §3.1, and RFC 9864 §2.2.
  if (kty === 'OKP') {
    return ['EdDSA', 'Ed25519']
  }
  if (kty === 'EC') {
    return ['ES256']
  }
  return alg === 'RS256' || alg === 'PS256' ? [alg] : []
}

async function checkKey(key: ClientKey, index: number): Promise<ClientKey> {
  const secret = privateMembers.find((member) => member in key)
  if (secret !== undefined) {
    throw invalidKey(
      index,
      `"${secret}" belongs to a private key; create a new pair, and send its public key only`,
    )
  }
  const { kty, kid, alg } = key
  const object = publicKeyOf(key)
  if (object === undefined) {
    throw invalidKey(index, 'not a public key of Ed25519, P-256 or RSA')
  }
  if (kty === 'RSA' && !isAcceptableRsa(object)) {
    throw invalidKey(index, 'an RSA key needs 2048 to 4096 bits, and the exponent 65537 (AQAB)')
  }
  const [first, ...others] = algorithmsOf(key)
  if (first === undefined) {
    throw invalidKey(index, 'an RSA key needs an "alg", RS256 or PS256')
  }
  if (alg !== undefined && alg !== first && !others.includes(alg)) {
    throw invalidKey(index, `"alg" must be ${[first, ...others].join(' or ')} for this key`)
  }
  const members = object.export({ format: 'jwk' })
  const thumbprint = await calculateJwkThumbprint({ ...members })
  return { ...members, kty, kid: kid ?? thumbprint, alg: alg ?? first, use: 'sig' } as ClientKey
}

/**
 * Returns undefined if the members do not form a key, for example a point that is not on the curve.
 */
function publicKeyOf({ kty, crv, x, y, n, e }: ClientKey): KeyObject | undefined {
  try {
    const members = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value)
    return createPublicKey({ key: Object.fromEntries(members), format: 'jwk' })
  } catch {
    return undefined
  }
}

function isAcceptableRsa({ asymmetricKeyDetails }: KeyObject): boolean {
  const { modulusLength = 0, publicExponent } = asymmetricKeyDetails ?? {}
  const { minBits, maxBits, exponent } = rsa
  return modulusLength >= minBits && modulusLength <= maxBits && publicExponent === exponent
}

function invalidKey(index: number, what: string): AuthError {
  return new AuthError('invalid_request', `jwks.keys.${index}: ${what}`)
}
