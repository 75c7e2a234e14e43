import type { RevocationEvent } from '@portcullis/contracts'
import type { LiveGrant } from './grant.js'

/** Grants by token and by identity, so that a revocation looks only at what it may cover. */
export class GrantIndex {
  // A token mostly has one grant, which then costs no set.
  readonly #byJti = new Map<string, LiveGrant | Set<LiveGrant>>()
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
    if (same?.has(grant)) return
    if (same === undefined) this.#byIdentity.set(grant.identity, new Set([grant]))
    else same.add(grant)
    const token = this.#byJti.get(grant.jti)
    if (token === undefined) this.#byJti.set(grant.jti, grant)
    else if (token instanceof Set) token.add(grant)
    else this.#byJti.set(grant.jti, new Set([token, grant]))
    this.#size++
  }

  delete(grant: LiveGrant): void {
    const same = this.#byIdentity.get(grant.identity)
    if (same === undefined || !same.delete(grant)) return
    if (same.size === 0) this.#byIdentity.delete(grant.identity)
    const token = this.#byJti.get(grant.jti)
    if (token instanceof Set) {
      token.delete(grant)
      if (token.size === 0) this.#byJti.delete(grant.jti)
    } else if (token === grant) this.#byJti.delete(grant.jti)
    this.#size--
  }

  /** A list of its own, since ending a grant changes the index. */
  candidates({ selector }: Pick<RevocationEvent, 'selector'>): readonly LiveGrant[] {
    if ('all' in selector) return [...this.#byIdentity.values()].flatMap((grants) => [...grants])
    if ('jti' in selector) return this.ofToken(selector.jti)
    return [...(this.#byIdentity.get(selector.identity) ?? [])]
  }

  ofToken(jti: string): readonly LiveGrant[] {
    const found = this.#byJti.get(jti)
    if (found === undefined) return []
    return found instanceof Set ? [...found] : [found]
  }

  tokenIds(): readonly string[] {
    return [...this.#byJti.keys()]
  }
}
