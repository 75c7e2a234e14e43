import type { Member } from './member.js'

/** The connections of a node, by id and by subject. */
export class MemberIndex {
  readonly #byId = new Map<string, Member>()
  readonly #bySubject = new Map<string, Set<Member>>()

  get size(): number {
    return this.#byId.size
  }

  /** Number of subjects with a connection. */
  get subjects(): number {
    return this.#bySubject.size
  }

  all(): IterableIterator<Member> {
    return this.#byId.values()
  }

  of(subject: string): readonly Member[] {
    return [...(this.#bySubject.get(subject) ?? [])]
  }

  /** Counts the connections with this subject of this identity. */
  countLike({ identity, subject }: Pick<Member, 'identity' | 'subject'>): number {
    let count = 0
    for (const other of this.#bySubject.get(subject) ?? []) {
      if (other.identity === identity) {
        count += 1
      }
    }
    return count
  }

  add(member: Member): void {
    this.#byId.set(member.id, member)
    const same = this.#bySubject.get(member.subject)
    if (same === undefined) {
      this.#bySubject.set(member.subject, new Set([member]))
    } else {
      same.add(member)
    }
  }

  delete(member: Member): void {
    if (!this.#byId.delete(member.id)) {
      return
    }
    const same = this.#bySubject.get(member.subject)
    same?.delete(member)
    if (same?.size === 0) {
      this.#bySubject.delete(member.subject)
    }
  }
}
