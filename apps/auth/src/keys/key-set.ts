import type { JwkSet, KeyState, SigningKeyInfo } from '@portcullis/contracts/keys'
import { KeySetError, unreadable } from './errors.js'
import {
  addKey,
  type KeyStore,
  removeKey,
  replaceKey,
  type StoredKeys,
  turnKeys,
} from './key-store.js'
import { type SigningKey, signingKey } from './signing-key.js'
import { fromStored, toStored } from './stored-key.js'

/** An instance is not ready when its last read of the keys is older: two reads have failed. */
const readyMs = 15_000
/**
 * An instance whose last read is older reads the keys again before it signs. Half of the time that
 * a previous key is kept beyond the lifetime of tokens (open-key-set.ts), so no instance signs with
 * a removed key; and long, so that an instance can issue tokens in other partitions while the Redis
 * of the keys is down.
 */
const signMs = 12 * 60 * 60 * 1000
/** Far above what any schedule needs: each start decrypts all of them. */
const maxKeys = 64

/** The installation's signing keys, the same for every auth instance. */
export interface KeySet {
  /** The key that signs. */
  readonly current: SigningKey
  /** Returns a key that verifies (next, current or previous), or undefined for an unknown `kid`. */
  find(kid: string): SigningKey | undefined
  /** Returns the public keys. */
  jwks(): JwkSet
  /** Returns the keys without key material: next, current, then previous ones, newest first. */
  list(): SigningKeyInfo[]
  /**
   * Resolves when the current key may sign: at once, unless the instance was paused or cut off for
   * half a day of its monotonic clock; then it reads the keys first. The registry refuses tokens of
   * a key that was revoked meanwhile.
   *
   * @throws as `refresh`
   */
  ensureFresh(): Promise<void>
  /**
   * Reads the keys as other instances have changed them, and does what is due.
   *
   * @throws KeySetError `registry_unavailable`, `secret_missing`, `secret_wrong`, `key_unreadable`
   */
  refresh(): Promise<void>
  /**
   * Makes the next key the current one now, and creates another next key. Redis refuses this after
   * `deadline`.
   *
   * @throws KeySetError `key_too_young` while caches of the JWKS may not have the next key,
   * `too_many_keys`
   */
  rotate(deadline?: KeyStore['deadline']): Promise<void>
  /**
   * Removes a key at once; the next key replaces a current key. Redis refuses this after
   * `deadline`. Repeating it changes nothing. The caller must also revoke the tokens that the key
   * signed: see `tokens/revoke-key.ts`.
   *
   * @throws KeySetError `key_not_found`
   */
  remove(kid: string, deadline?: KeyStore['deadline']): Promise<void>
  /**
   * Calls `listener` with the `kid` of each key that this instance has made current on schedule,
   * including those before this call. Takes one listener.
   */
  onScheduled(listener: (kid: string) => void): void
  /** Returns the reason why the keys cannot be used, or undefined when they can. */
  ready(): string | undefined
}

/** The result of the last read. */
interface Seen {
  /** When the read began, on this process's monotonic clock. */
  at: number
  current: SigningKey
  list: readonly SigningKeyInfo[]
}

/** The keys in Redis. */
export class StoredKeySet implements KeySet {
  readonly #store: KeyStore
  /** Decrypted keys. A `kid` is the hash of its key, so an entry never changes. */
  readonly #opened = new Map<string, SigningKey>()
  #seen: Seen | undefined
  #refreshing: Promise<void> = Promise.resolve()
  #waiting: Promise<void> | undefined
  /** Keys that became current on schedule before there was a listener. */
  readonly #unreported: string[] = []
  #report: (kid: string) => void = (kid) => this.#unreported.push(kid)

  constructor(store: KeyStore) {
    this.#store = store
  }

  get current(): SigningKey {
    if (this.#seen === undefined) {
      throw new Error('the signing keys have not been read yet')
    }
    return this.#seen.current
  }

  find(kid: string): SigningKey | undefined {
    return this.#opened.get(kid)
  }

  jwks(): JwkSet {
    return { keys: this.list().flatMap(({ kid }) => this.find(kid)?.jwk ?? []) }
  }

  list(): SigningKeyInfo[] {
    return [...(this.#seen?.list ?? [])]
  }

  onScheduled(listener: (kid: string) => void): void {
    this.#report = listener
    for (const kid of this.#unreported.splice(0)) {
      listener(kid)
    }
  }

  async ensureFresh(): Promise<void> {
    if (this.#age() > signMs) {
      await this.refresh()
    }
  }

  ready(): string | undefined {
    return this.#age() > readyMs ? 'the signing keys cannot be read' : undefined
  }

  #age(): number {
    return performance.now() - (this.#seen?.at ?? Number.NEGATIVE_INFINITY)
  }

  refresh(): Promise<void> {
    // A read in progress may be too old; queue one more and share it among callers.
    this.#waiting ??= this.#refreshing
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined
        this.#refreshing = this.#read()
        return this.#refreshing
      })
    return this.#waiting
  }

  async rotate(deadline?: KeyStore['deadline']): Promise<void> {
    await this.refresh()
    if (this.#opened.size >= maxKeys) {
      throw new KeySetError(
        'too_many_keys',
        `there are ${this.#opened.size} signing keys, the maximum; wait until a previous key is removed`,
      )
    }
    const { promoted, next = '', nowMs, times } = await turnKeys({ ...this.#store, deadline }, 0)
    await this.refresh()
    if (promoted) {
      return
    }
    const readyMs = (times.get(`created:${next}`) ?? nowMs) + this.#store.publishMs - nowMs
    throw new KeySetError(
      'key_too_young',
      `the next key was published recently, and caches of the key set may not have it yet; try again in ${Math.ceil(Math.max(0, readyMs) / 1000)} s`,
    )
  }

  async remove(kid: string, deadline?: KeyStore['deadline']): Promise<void> {
    const removed = await removeKey({ ...this.#store, deadline }, kid)
    await this.refresh()
    if (!removed) {
      throw new KeySetError(
        'key_not_found',
        `the signing key "${kid}" does not exist; list the signing keys`,
      )
    }
  }

  async #read(): Promise<void> {
    const at = performance.now()
    const stored = await this.#completed()
    const keys = await Promise.all(
      [...stored.keys].map(async ([kid, text]) => this.find(kid) ?? this.#open(kid, text)),
    )
    const current = keys.find(({ kid }) => kid === stored.current)
    if (current === undefined) {
      throw unreadable(stored.current ?? '')
    }
    // Nothing below can fail, so that all of it changes in one step.
    this.#opened.clear()
    for (const key of keys) {
      this.#opened.set(key.kid, key)
    }
    const list = keys.map((key) => infoOf(key, stored, this.#store)).sort(inOrder)
    this.#seen = { at, current, list }
  }

  /** Returns the stored keys once there are a current and a next key. */
  async #completed(): Promise<StoredKeys> {
    for (;;) {
      const stored = await turnKeys(this.#store)
      const { current, next, keys, promoted } = stored
      if (promoted && current !== undefined) {
        this.#report(current)
      }
      if (current !== undefined && next !== undefined && keys.has(next)) {
        return stored
      }
      await addKey(this.#store, next)
    }
  }

  async #open(kid: string, text: string): Promise<SigningKey> {
    const { secrets } = this.#store
    const { parts, isStale } = await fromStored(kid, text, secrets)
    const key = signingKey(parts)
    if (isStale) {
      await replaceKey(this.#store, kid, text, await toStored(parts, secrets))
    }
    return key
  }
}

function infoOf(
  { kid, alg }: SigningKey,
  { current, next, nowMs, times }: StoredKeys,
  { rotateAfterMs, publishMs, keepMs }: KeyStore,
): SigningKeyInfo {
  const time = (name: string, of = kid) => times.get(`${name}:${of}`) ?? nowMs
  const readyAt = (of: string) => time('created', of) + publishMs
  const shown = { kid, alg, createdAt: time('created') }
  if (kid === next) {
    return { ...shown, state: 'next', readyAt: readyAt(kid) }
  }
  const activatedAt = time('activated')
  if (kid === current) {
    return {
      ...shown,
      state: 'current',
      activatedAt,
      ...(rotateAfterMs === undefined
        ? {}
        : { rotatesAt: Math.max(activatedAt + rotateAfterMs, readyAt(next ?? kid)) }),
    }
  }
  const retiredAt = time('retired')
  return { ...shown, state: 'previous', activatedAt, retiredAt, removedAt: retiredAt + keepMs }
}

const order: readonly KeyState[] = ['next', 'current', 'previous']

function inOrder(a: SigningKeyInfo, b: SigningKeyInfo): number {
  return order.indexOf(a.state) - order.indexOf(b.state) || (b.retiredAt ?? 0) - (a.retiredAt ?? 0)
}
