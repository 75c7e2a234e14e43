import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { PublicJwk, SigningAlgorithm } from '@portcullis/contracts/keys'
import { unreadable } from './errors.js'
import { type KeyMembers, thumbprint } from './thumbprint.js'

/** A key pair that signs and verifies. It never changes, nor does its `kid`; its state is the set's. */
export interface SigningKey {
  readonly kid: string
  /** The one algorithm that it is used with (RFC 8725 §3.1). */
  readonly alg: SigningAlgorithm
  /** PKCS #8 in PEM. */
  readonly privateKey: string
  /** SPKI in PEM. */
  readonly publicKey: string
  readonly jwk: PublicJwk
}

/** The parts of a key pair as JWK has them (RFC 8037 §2, RFC 7518 §6.2). */
export type KeyParts = KeyMembers & { d: string }

/**
 * Makes the parts of a new key. Its `kid` does not begin with `-`: who revokes the key in haste would
 * have it taken for an option by the command line.
 */
export async function newKeyParts(alg: SigningAlgorithm): Promise<KeyParts> {
  for (;;) {
    const parts = await randomKeyParts(alg)
    if (!thumbprint(parts).startsWith('-')) {
      return parts
    }
  }
}

async function randomKeyParts(alg: SigningAlgorithm): Promise<KeyParts> {
  const make = promisify(generateKeyPair)
  const { privateKey } =
    alg === 'EdDSA' ? await make('ed25519') : await make('ec', { namedCurve: 'P-256' })
  const { x, y, d } = privateKey.export({ format: 'jwk' })
  if (x === undefined || d === undefined) {
    throw new Error(`${alg} is not supported by this Node`)
  }
  if (alg === 'EdDSA') {
    return { kty: 'OKP', crv: 'Ed25519', x, d }
  }
  if (y === undefined) {
    throw new Error(`${alg} is not supported by this Node`)
  }
  return { kty: 'EC', crv: 'P-256', x, y, d }
}

/** @throws KeySetError `key_unreadable` when the two halves are not one pair */
export function signingKey({ d, ...members }: KeyParts): SigningKey {
  const kid = thumbprint(members)
  let privateKey: KeyObject
  let publicKey: KeyObject
  try {
    privateKey = createPrivateKey({ key: { ...members, d }, format: 'jwk' })
    publicKey = createPublicKey({ key: members, format: 'jwk' })
  } catch {
    throw unreadable(kid)
  }
  // Neither Node nor OpenSSL compares the halves of a JWK.
  if (!isPair(privateKey, publicKey)) {
    throw unreadable(kid)
  }
  return {
    kid,
    alg: members.kty === 'OKP' ? 'EdDSA' : 'ES256',
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    jwk:
      members.kty === 'OKP'
        ? { ...members, kid, use: 'sig', alg: 'EdDSA' }
        : { ...members, kid, use: 'sig', alg: 'ES256' },
  }
}

function isPair(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const text = Buffer.from('one pair')
  const digest = publicKey.asymmetricKeyType === 'ec' ? 'sha256' : null
  return verify(digest, text, publicKey, sign(digest, text, privateKey))
}
