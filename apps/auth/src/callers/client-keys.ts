import { createPublicKey, type KeyObject } from 'node:crypto'
import type { ClientKey, ClientKeys } from '@portcullis/contracts/clients'
import { calculateJwkThumbprint } from 'jose'
import { AuthError } from '../errors.js'

/** Everything that a client may sign with; never a MAC, which would need a secret of ours. */
export const clientSigningAlgorithms = ['EdDSA', 'Ed25519', 'ES256', 'RS256', 'PS256'] as const

/** Members of a JWK that only its owner may have (RFC 7518 §6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

/** Signatures are checked before anyone is known: no key may make that expensive. */
const rsa = { leastBits: 2048, mostBits: 4096, exponent: 65_537n }

/**
 * What is kept of a client's key set: for each key its public members, and a `kid`, by default its
 * thumbprint.
 *
 * @throws AuthError `invalid_request` naming the key and what is wrong with it
 */
export async function clientKeys({ keys }: ClientKeys): Promise<ClientKeys> {
  const kept = await Promise.all(keys.map(keptOf))
  const twice = kept.findIndex((key, index) => kept.findIndex(({ kid }) => kid === key.kid) < index)
  if (twice >= 0) {
    throw wrong(twice, 'another key has the same kid')
  }
  return { keys: kept }
}

/** What a key signs with: its own say and no JWT's (RFC 8725 §3.1). */
export function algorithmsOf({ kty, alg }: ClientKey): readonly string[] {
  // One algorithm by two names: RFC 8037 §3.1, and RFC 9864 §2.2.
  if (kty === 'OKP') {
    return ['EdDSA', 'Ed25519']
  }
  if (kty === 'EC') {
    return ['ES256']
  }
  return alg === 'RS256' || alg === 'PS256' ? [alg] : []
}

async function keptOf(key: ClientKey, index: number): Promise<ClientKey> {
  const secret = privateMembers.find((member) => member in key)
  if (secret !== undefined) {
    throw wrong(
      index,
      `"${secret}" belongs to the private key; send the public one, and make a new pair`,
    )
  }
  const { kty, kid, alg } = key
  const object = publicKeyOf(key)
  if (object === undefined) {
    throw wrong(index, 'not a public key of Ed25519, P-256 or RSA')
  }
  if (kty === 'RSA' && !isModest(object)) {
    throw wrong(index, 'an RSA key needs 2048 to 4096 bits, and the exponent 65537 (AQAB)')
  }
  const [first, ...others] = algorithmsOf(key)
  if (first === undefined) {
    throw wrong(index, 'an RSA key needs an "alg", RS256 or PS256')
  }
  if (alg !== undefined && alg !== first && !others.includes(alg)) {
    throw wrong(index, `"alg" must be ${[first, ...others].join(' or ')} for this key`)
  }
  const members = object.export({ format: 'jwk' })
  const thumbprint = await calculateJwkThumbprint({ ...members })
  return { ...members, kty, kid: kid ?? thumbprint, alg: alg ?? first, use: 'sig' } as ClientKey
}

/** Checks more than the shape: that the members fit together, and a point lies on its curve. */
function publicKeyOf({ kty, crv, x, y, n, e }: ClientKey): KeyObject | undefined {
  try {
    const members = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value)
    return createPublicKey({ key: Object.fromEntries(members), format: 'jwk' })
  } catch {
    return undefined
  }
}

function isModest({ asymmetricKeyDetails }: KeyObject): boolean {
  const { modulusLength = 0, publicExponent } = asymmetricKeyDetails ?? {}
  const { leastBits, mostBits, exponent } = rsa
  return modulusLength >= leastBits && modulusLength <= mostBits && publicExponent === exponent
}

function wrong(index: number, what: string): AuthError {
  return new AuthError('invalid_request', `jwks.keys.${index}: ${what}`)
}
