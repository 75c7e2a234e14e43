import type { RevocationEvent } from '@portcullis/contracts/revocations'
import type { LiveGrant } from './grant.js'

/** Indexes grants by the fields that revocations select by. */
export class GrantIndex {
  readonly #byJti = new GrantsByKey()
  /** By the id of each token that issued the grant's token, directly or through others. */
  readonly #byParent = new GrantsByKey()
  readonly #byIdentity = new Map<string, Set<LiveGrant>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  has(grant: LiveGrant): boolean {
    return this.#byIdentity.get(grant.identity)?.has(grant) ?? false
  }

  add(grant: LiveGrant): void {
    const same = this.#byIdentity.get(grant.identity)
    if (same?.has(grant)) {
      return
    }
    if (same === undefined) {
      this.#byIdentity.set(grant.identity, new Set([grant]))
    } else {
      same.add(grant)
    }
    this.#byJti.add(grant.jti, grant)
    for (const parent of grant.parents) {
      this.#byParent.add(parent, grant)
    }
    this.#size++
  }

  delete(grant: LiveGrant): void {
    const same = this.#byIdentity.get(grant.identity)
    if (same === undefined || !same.delete(grant)) {
      return
    }
    if (same.size === 0) {
      this.#byIdentity.delete(grant.identity)
    }
    this.#byJti.delete(grant.jti, grant)
    for (const parent of grant.parents) {
      this.#byParent.delete(parent, grant)
    }
    this.#size--
  }

  /** Returns every grant that the selector may cover. A copy, since ending a grant changes the index. */
  candidates({ selector }: Pick<RevocationEvent, 'selector'>): readonly LiveGrant[] {
    if ('all' in selector) {
      return [...this.#byIdentity.values()].flatMap((grants) => [...grants])
    }
    if ('jti' in selector) {
      const issued = selector.cascade === true ? this.#byParent.of(selector.jti) : []
      return [...this.ofToken(selector.jti), ...issued]
    }
    return [...(this.#byIdentity.get(selector.identity) ?? [])]
  }

  ofToken(jti: string): readonly LiveGrant[] {
    return this.#byJti.of(jti)
  }

  tokenIds(): readonly string[] {
    return this.#byJti.keys()
  }
}

/** Maps a key to its grants. Most keys have one grant, which is kept without a set. */
class GrantsByKey {
  readonly #grants = new Map<string, LiveGrant | Set<LiveGrant>>()

  add(key: string, grant: LiveGrant): void {
    const found = this.#grants.get(key)
    if (found === undefined) {
      this.#grants.set(key, grant)
    } else if (found instanceof Set) {
      found.add(grant)
    } else {
      this.#grants.set(key, new Set([found, grant]))
    }
  }

  delete(key: string, grant: LiveGrant): void {
    const found = this.#grants.get(key)
    if (found instanceof Set) {
      found.delete(grant)
      if (found.size === 0) {
        this.#grants.delete(key)
      }
    } else if (found === grant) {
      this.#grants.delete(key)
    }
  }

  /** Returns a copy. */
  of(key: string): readonly LiveGrant[] {
    const found = this.#grants.get(key)
    if (found === undefined) {
      return []
    }
    return found instanceof Set ? [...found] : [found]
  }

  keys(): readonly string[] {
    return [...this.#grants.keys()]
  }
}
