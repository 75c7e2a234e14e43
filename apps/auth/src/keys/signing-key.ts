import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { PublicJwk, SigningAlgorithm } from '@portcullis/contracts/keys'
import { unreadable } from './errors.js'
import { type KeyMembers, thumbprint } from './thumbprint.js'

/** A key pair that signs and verifies. It never changes; the key set holds its state. */
export interface SigningKey {
  readonly kid: string
  /** The only algorithm that the key is used with (RFC 8725 §3.1). */
  readonly alg: SigningAlgorithm
  /** PKCS #8 in PEM. */
  readonly privateKey: string
  /** SPKI in PEM. */
  readonly publicKey: string
  readonly jwk: PublicJwk
  /** Makes and checks the ids of the tokens that the key signs. Derived from the private key. */
  readonly idSecret: KeyObject
}

/** The parameters of a key pair as in a JWK (RFC 8037 §2, RFC 7518 §6.2). */
export type KeyParts = KeyMembers & { d: string }

/**
 * Returns the parameters of a new key. Its `kid` does not start with `-`, which a command line
 * would read as an option.
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

/** @throws KeySetError `key_unreadable` when the private and the public key do not match */
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
  // Neither Node nor OpenSSL checks that the halves of a JWK match.
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
    idSecret: idSecretOf(d),
  }
}

/** Returns the secret of the ids of a key's tokens, given the private parameter `d` of its JWK. */
export function idSecretOf(d: string): KeyObject {
  const bytes = hkdfSync('sha256', Buffer.from(d, 'base64url'), '', 'portcullis token ids', 32)
  return createSecretKey(Buffer.from(bytes))
}

function isPair(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const text = Buffer.from('one pair')
  const digest = publicKey.asymmetricKeyType === 'ec' ? 'sha256' : null
  return verify(digest, text, publicKey, sign(digest, text, privateKey))
}
