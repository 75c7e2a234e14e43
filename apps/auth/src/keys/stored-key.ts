import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { KeySetError, unreadable } from './errors.js'
import { Sealed, seal, unseal } from './seal.js'
import type { KeyParts } from './signing-key.js'
import { type KeyMembers, thumbprint } from './thumbprint.js'

/** The private part, JWK's `d`: in the clear or sealed, never both. */
const Private = Type.Union([Type.String(), Sealed])
const closed = { additionalProperties: false }

/** A key as Redis keeps it, as JSON under its `kid`. One on P-256 has `y`, one on Ed25519 has none. */
const StoredKey = Type.Union([
  Type.Object({ x: Type.String(), d: Private }, closed),
  Type.Object({ x: Type.String(), y: Type.String(), d: Private }, closed),
])
type StoredKey = Static<typeof StoredKey>

/** What private keys are encrypted with in Redis. */
export interface Secrets {
  /** Once set it has to stay, or become the `previous`. */
  secret?: string | undefined
  /** Opens what was stored before the secret changed; encrypts nothing. */
  previous?: string | undefined
}

/** With a secret the private key is never stored in the clear. */
export async function toStored(parts: KeyParts, { secret }: Secrets): Promise<string> {
  const { d, ...members } = parts
  const stored: StoredKey = {
    x: parts.x,
    ...(parts.kty === 'EC' ? { y: parts.y } : {}),
    d: secret === undefined ? d : await seal(secret, thumbprint(members), d),
  }
  return JSON.stringify(stored)
}

/** A stored key that was opened, and whether it should be stored anew, as the secrets are now. */
export interface Opened {
  parts: KeyParts
  isStale: boolean
}

/** @throws KeySetError `secret_missing`, `secret_wrong`, `key_unreadable` */
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
