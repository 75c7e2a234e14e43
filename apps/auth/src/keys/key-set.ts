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

/** An instance whose last look is older is not ready, in milliseconds: it has missed two. */
const readyMs = 15_000
/**
 * An instance whose last look is older signs nothing before another, in milliseconds. By half shorter
 * than a previous key is kept beyond the life of tokens (open-key-set.ts), so nobody signs with a key
 * that is gone; and long, for a Redis that has lost its part with the keys still issues in the others.
 */
const signMs = 12 * 60 * 60 * 1000
/** Far above what any schedule needs; each start has to open all of them. */
const mostKeys = 64

/** The installation's signing keys, the same for every auth instance. */
export interface KeySet {
  /** Signs. */
  readonly current: SigningKey
  /** One that verifies: next, current or previous. Undefined for a `kid` that is not ours. */
  find(kid: string): SigningKey | undefined
  /** Public parts alone. */
  jwks(): JwkSet
  /** What is shown of them: next, current, previous ones with the newest first. */
  list(): SigningKeyInfo[]
  /**
   * Resolves when the current key may sign: at once, but for an instance that was paused or cut off
   * for half a day of its monotonic clock, which looks first. A key that was revoked meanwhile the
   * registry refuses.
   *
   * @throws as `look`
   */
  fresh(): Promise<void>
  /**
   * Sees what others have changed, and does what is due.
   *
   * @throws KeySetError `registry_unavailable`, `secret_missing`, `secret_wrong`, `key_unreadable`
   */
  look(): Promise<void>
  /**
   * Lets the next key take over now, and makes another next one; not after `deadline`, if there is one.
   *
   * @throws KeySetError `key_too_young` while caches of the JWKS may not have it yet, `too_many_keys`
   */
  rotate(deadline?: KeyStore['deadline']): Promise<void>
  /**
   * Removes a key at once, not after `deadline`; the next one takes the place of a current one. Doing it again does nothing.
   * What it signed is for the registry to revoke, and it has to be: see `tokens/revoke-key.ts`.
   *
   * @throws KeySetError `key_not_found`
   */
  remove(kid: string, deadline?: KeyStore['deadline']): Promise<void>
  /**
   * Calls `listener` with the `kid` of each key that took over on schedule, through this instance; also
   * for those of before this call. One listener.
   */
  onScheduled(listener: (kid: string) => void): void
  /** Says why the keys cannot be used, or nothing when they can. */
  ready(): string | undefined
}

/** What was seen last. */
interface Seen {
  /** When that was asked, on this process's monotonic clock. */
  at: number
  current: SigningKey
  list: readonly SigningKeyInfo[]
}

/** The keys that are in Redis. */
export class StoredKeySet implements KeySet {
  readonly #store: KeyStore
  /** A `kid` is the key's own hash: what is opened under it never changes. */
  readonly #opened = new Map<string, SigningKey>()
  #seen: Seen | undefined
  #looking: Promise<void> = Promise.resolve()
  #waiting: Promise<void> | undefined
  /** Took over on schedule, before there was a listener. */
  readonly #untold: string[] = []
  #tell: (kid: string) => void = (kid) => this.#untold.push(kid)

  constructor(store: KeyStore) {
    this.#store = store
  }

  get current(): SigningKey {
    if (this.#seen === undefined) {
      throw new Error('the signing keys were not looked at yet')
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
    this.#tell = listener
    for (const kid of this.#untold.splice(0)) {
      listener(kid)
    }
  }

  async fresh(): Promise<void> {
    if (this.#age() > signMs) {
      await this.look()
    }
  }

  ready(): string | undefined {
    return this.#age() > readyMs ? 'the signing keys cannot be read' : undefined
  }

  #age(): number {
    return performance.now() - (this.#seen?.at ?? Number.NEGATIVE_INFINITY)
  }

  look(): Promise<void> {
    // One that is under way may have asked before what this one is to see: the next one, for all.
    this.#waiting ??= this.#looking
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined
        this.#looking = this.#look()
        return this.#looking
      })
    return this.#waiting
  }

  async rotate(deadline?: KeyStore['deadline']): Promise<void> {
    await this.look()
    if (this.#opened.size >= mostKeys) {
      throw new KeySetError(
        'too_many_keys',
        `there are ${this.#opened.size} signing keys, the most that are kept; wait until a previous one goes`,
      )
    }
    const { promoted, next = '', nowMs, times } = await turnKeys({ ...this.#store, deadline }, 0)
    await this.look()
    if (promoted) {
      return
    }
    const readyMs = (times.get(`created:${next}`) ?? nowMs) + this.#store.publishMs - nowMs
    throw new KeySetError(
      'key_too_young',
      `the next key was published a moment ago, and caches of the key set may not have it; try again in ${Math.ceil(Math.max(0, readyMs) / 1000)} s`,
    )
  }

  async remove(kid: string, deadline?: KeyStore['deadline']): Promise<void> {
    const removed = await removeKey({ ...this.#store, deadline }, kid)
    await this.look()
    if (!removed) {
      throw new KeySetError('key_not_found', `there is no signing key "${kid}"; list them`)
    }
  }

  async #look(): Promise<void> {
    const at = performance.now()
    const stored = await this.#completed()
    const keys = await Promise.all(
      [...stored.keys].map(async ([kid, text]) => this.find(kid) ?? this.#open(kid, text)),
    )
    const current = keys.find(({ kid }) => kid === stored.current)
    if (current === undefined) {
      throw unreadable(stored.current ?? '')
    }
    // From here on nothing fails, and all of it changes in one step.
    this.#opened.clear()
    for (const key of keys) {
      this.#opened.set(key.kid, key)
    }
    const list = keys.map((key) => infoOf(key, stored, this.#store)).sort(inOrder)
    this.#seen = { at, current, list }
  }

  /** The stored keys, when there are a current and a next one. */
  async #completed(): Promise<StoredKeys> {
    for (;;) {
      const stored = await turnKeys(this.#store)
      const { current, next, keys, promoted } = stored
      if (promoted && current !== undefined) {
        this.#tell(current)
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
