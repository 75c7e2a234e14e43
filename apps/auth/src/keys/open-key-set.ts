import { jwksMaxAgeSeconds, type SigningAlgorithm } from '@portcullis/contracts/keys'
import { maxTtlSeconds } from '@portcullis/contracts/names'
import type { Commands } from '@portcullis/redis'
import { keyNames } from '../registry/keys.js'
import { type KeySet, StoredKeySet } from './key-set.js'
import { addKey, type KeyStore } from './key-store.js'
import type { Secrets } from './stored-key.js'

const dayMs = 24 * 60 * 60 * 1000
/** How long a key is published before it signs. */
const publishMs = 2 * jwksMaxAgeSeconds * 1000
/** A day longer than a token lives: an instance may use a replaced key for half a day. */
const keepMs = maxTtlSeconds * 1000 + dayMs

export interface OpenKeySet extends Secrets {
  /** Must be connected. */
  redis: Commands
  prefix: string
  /** The algorithm of new keys. Existing keys keep their algorithm. Default: `EdDSA`. */
  algorithm?: SigningAlgorithm | undefined
  /** The number of days after which the next key takes over; 0 for manual rotation. Default: 0. */
  rotationDays?: number | undefined
}

/**
 * Opens the signing keys, and creates those that are missing; instances that start at once agree on
 * them. A key stored in clear text is encrypted as soon as there is a secret. A key encrypted with
 * the previous secret is encrypted with the new one.
 *
 * @throws KeySetError `secret_missing`, `secret_wrong`, `key_unreadable`, `registry_unavailable`
 */
export async function openKeySet(options: OpenKeySet): Promise<KeySet> {
  const { redis, prefix, secret, previous, algorithm = 'EdDSA', rotationDays = 0 } = options
  const { signingKeys, signingKeyStates, keyNews } = keyNames(prefix)
  const store: KeyStore = {
    redis,
    names: [signingKeys, signingKeyStates],
    channel: keyNews,
    secrets: { secret, previous },
    algorithm,
    rotateAfterMs: rotationDays === 0 ? undefined : rotationDays * dayMs,
    publishMs,
    keepMs,
  }
  const keys = new StoredKeySet(store)
  await keys.refresh()
  // Only at the start: while instances with different settings run, they would replace the key in
  // turn for ever.
  const next = keys.list().find(({ state }) => state === 'next')
  if (next !== undefined && next.alg !== algorithm) {
    await addKey(store, next.kid)
    await keys.refresh()
  }
  return keys
}
