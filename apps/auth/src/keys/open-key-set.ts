import type { SigningAlgorithm } from '@portcullis/contracts/keys'
import { maxTtlSeconds } from '@portcullis/contracts/names'
import type { Commands } from '@portcullis/redis'
import { keyNames } from '../registry/keys.js'
import { type KeySet, StoredKeySet } from './key-set.js'
import { addKey, type KeyStore } from './key-store.js'
import type { Secrets } from './stored-key.js'

const dayMs = 24 * 60 * 60 * 1000
/** Twice the time that the JWKS may be cached for, `max-age=300`. */
const publishMs = 2 * 300 * 1000
/** A day more than a token lives: an instance may sign for half of it with a key that was replaced. */
const keepMs = maxTtlSeconds * 1000 + dayMs

export interface OpenKeySet extends Secrets {
  /** Connected. */
  redis: Commands
  prefix: string
  /** What new keys are for; keys that there are go on as what they are. By default `EdDSA`. */
  algorithm?: SigningAlgorithm | undefined
  /** After how many days the next key takes over; 0, by default: only by hand. */
  rotationDays?: number | undefined
}

/**
 * Opens the signing keys, and makes what is missing; instances that start at once agree. A key stored
 * in the clear is encrypted as soon as there is a secret, one stored with the previous secret anew.
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
  await keys.look()
  // Only here, once: while instances with another setting are replaced, they would never agree.
  const next = keys.list().find(({ state }) => state === 'next')
  if (next !== undefined && next.alg !== algorithm) {
    await addKey(store, next.kid)
    await keys.look()
  }
  return keys
}
