import type { Member } from './member.js'

/** The connections of a node, by subject. */
export class MemberIndex {
  readonly #all = new Set<Member>()
  /** Most subjects have one connection, which is kept without a set. */
  readonly #bySubject = new Map<string, Member | Set<Member>>()

  get size(): number {
    return this.#all.size
  }

  /** Number of subjects with a connection. */
  get subjects(): number {
    return this.#bySubject.size
  }

  all(): IterableIterator<Member> {
    return this.#all.values()
  }

  of(subject: string): readonly Member[] {
    const found = this.#bySubject.get(subject)
    if (found === undefined) {
      return []
    }
    return found instanceof Set ? [...found] : [found]
  }

  /** Counts the connections with this subject of this identity. */
  countLike({ identity, subject }: Pick<Member, 'identity' | 'subject'>): number {
    let count = 0
    for (const other of this.of(subject)) {
      if (other.identity === identity) {
        count += 1
      }
    }
    return count
  }

  add(member: Member): void {
    this.#all.add(member)
    const found = this.#bySubject.get(member.subject)
    if (found === undefined) {
      this.#bySubject.set(member.subject, member)
    } else if (found instanceof Set) {
      found.add(member)
    } else if (found !== member) {
      this.#bySubject.set(member.subject, new Set([found, member]))
    }
  }

  delete(member: Member): void {
    if (!this.#all.delete(member)) {
      return
    }
    const found = this.#bySubject.get(member.subject)
    if (found instanceof Set) {
      found.delete(member)
    }
    if (found === member || (found instanceof Set && found.size === 0)) {
      this.#bySubject.delete(member.subject)
    }
  }
}
