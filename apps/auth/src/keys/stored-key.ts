import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { KeySetError, unreadable } from './errors.js'
import { Sealed, seal, unseal } from './seal.js'
import type { KeyParts } from './signing-key.js'
import { type KeyMembers, thumbprint } from './thumbprint.js'

/** The private parameter `d` of a JWK, in clear text or encrypted. */
const Private = Type.Union([Type.String(), Sealed])
const closed = { additionalProperties: false }

/** A key as stored: JSON under its `kid`. A P-256 key has `y`, an Ed25519 key does not. */
const StoredKey = Type.Union([
  Type.Object({ x: Type.String(), d: Private }, closed),
  Type.Object({ x: Type.String(), y: Type.String(), d: Private }, closed),
])
type StoredKey = Static<typeof StoredKey>

/** The secrets that encrypt private keys in Redis. */
export interface Secrets {
  /** Once set it must stay, or become the `previous` one. */
  secret?: string | undefined
  /** Decrypts keys that were stored before the secret changed; encrypts none. */
  previous?: string | undefined
}

/** Returns a key as stored. With a secret, the private key is always encrypted. */
export async function toStored(parts: KeyParts, { secret }: Secrets): Promise<string> {
  const { d, ...members } = parts
  const stored: StoredKey = {
    x: parts.x,
    ...(parts.kty === 'EC' ? { y: parts.y } : {}),
    d: secret === undefined ? d : await seal(secret, thumbprint(members), d),
  }
  return JSON.stringify(stored)
}

/** A decrypted key. `isStale` is true when it should be stored again with the current secret. */
export interface Opened {
  parts: KeyParts
  isStale: boolean
}

/**
 * Parses and decrypts a stored key.
 *
 * @throws KeySetError `secret_missing`, `secret_wrong`, `key_unreadable`
 */
export async function fromStored(
  kid: string,
  text: string,
  { secret, previous }: Secrets,
): Promise<Opened> {
  const stored = parse(kid, text)
  const { d } = stored
  const opened = (text: string, isStale: boolean) => ({
    parts: { ...membersOf(stored), d: text },
    isStale,
  })
  if (typeof d === 'string') {
    return opened(d, secret !== undefined)
  }
  if (secret === undefined) {
    throw new KeySetError(
      'secret_missing',
      'the stored signing key is encrypted; set KEY_ENCRYPTION_SECRET to the secret that it was stored with',
    )
  }
  try {
    return opened(await unseal(secret, kid, d), false)
  } catch (error) {
    if (previous === undefined) {
      throw error
    }
    return opened(await unseal(previous, kid, d), true)
  }
}

function membersOf(stored: StoredKey): KeyMembers {
  return 'y' in stored
    ? { kty: 'EC', crv: 'P-256', x: stored.x, y: stored.y }
    : { kty: 'OKP', crv: 'Ed25519', x: stored.x }
}

function parse(kid: string, text: string): StoredKey {
  let stored: unknown
  try {
    stored = JSON.parse(text)
  } catch {
    throw unreadable(kid)
  }
  if (!Value.Check(StoredKey, stored) || thumbprint(membersOf(stored)) !== kid) {
    throw unreadable(kid)
  }
  return stored
}
