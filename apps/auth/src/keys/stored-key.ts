import { createHash, generateKeyPair, type JsonWebKey } from 'node:crypto'
import { promisify } from 'node:util'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { KeySetError } from './errors.js'
import { Sealed, seal, unseal } from './seal.js'

/** An Ed25519 key as Redis keeps it, as JSON under its `kid`. */
const StoredKey = Type.Object({
  /** The public key, JWK's `x` (RFC 8037 §2). */
  x: Type.String(),
  /** The private key, JWK's `d`: in the clear or sealed, never both. */
  d: Type.Union([Type.String(), Sealed]),
})
export type StoredKey = Static<typeof StoredKey>

/** A key pair that can sign. */
export interface OpenKey {
  kid: string
  x: string
  d: string
}

export async function newKey(): Promise<OpenKey> {
  const { privateKey } = await promisify(generateKeyPair)('ed25519')
  const { x, d }: JsonWebKey = privateKey.export({ format: 'jwk' })
  if (x === undefined || d === undefined) throw new Error('Ed25519 is not supported by this Node')
  return { kid: thumbprint(x), x, d }
}

/** RFC 7638: SHA-256 of the required members, in lexicographic order. */
export function thumbprint(x: string): string {
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')
}

/** With a secret the private key is never stored in the clear. */
export async function toStored({ kid, x, d }: OpenKey, secret: string | undefined) {
  const stored: StoredKey = { x, d: secret === undefined ? d : await seal(secret, kid, d) }
  return JSON.stringify(stored)
}

/** @throws KeySetError `secret_missing`, `secret_wrong`, `key_unreadable` */
export async function fromStored(
  kid: string,
  text: string,
  secret: string | undefined,
): Promise<OpenKey & { sealed: boolean }> {
  const { x, d } = parse(kid, text)
  if (typeof d === 'string') return { kid, x, d, sealed: false }
  if (secret === undefined)
    throw new KeySetError(
      'secret_missing',
      'the stored signing key is encrypted; set KEY_ENCRYPTION_SECRET to the secret that it was stored with',
    )
  return { kid, x, d: await unseal(secret, kid, d), sealed: true }
}

function parse(kid: string, text: string): StoredKey {
  let stored: unknown
  try {
    stored = JSON.parse(text)
  } catch {
    throw unreadable(kid)
  }
  if (!Value.Check(StoredKey, stored) || thumbprint(stored.x) !== kid) throw unreadable(kid)
  return stored
}

export function unreadable(kid: string): KeySetError {
  return new KeySetError(
    'key_unreadable',
    `the stored signing key ${kid} is damaged; restore it from a backup of Redis, or remove it to get a new one`,
  )
}
