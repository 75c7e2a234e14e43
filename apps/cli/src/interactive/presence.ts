/** Of a client in a channel, what is shown and what tells it from others. */
export interface Present {
  client: string
  user: string
}

/**
 * Who is in a channel, from one look and the joins and leaves around it. What comes while the look is
 * under way is later than the look, or as late, whichever arrives first.
 */
export class Presence {
  readonly #clients = new Map<string, string>()
  /** Who has left since the look began; undefined when none is under way. */
  #left: Set<string> | undefined

  /** How many clients each user has there. */
  users(): Map<string, number> {
    const users = new Map<string, number>()
    for (const user of this.#clients.values()) {
      users.set(user, (users.get(user) ?? 0) + 1)
    }
    return users
  }

  get size(): number {
    return this.#clients.size
  }

  /** Begins anew with what `ask` gives. */
  async look(ask: () => Promise<readonly Present[]>): Promise<void> {
    this.#clients.clear()
    const left = new Set<string>()
    this.#left = left
    try {
      for (const { client, user } of await ask()) {
        if (!left.has(client)) {
          this.#clients.set(client, user)
        }
      }
    } finally {
      if (this.#left === left) {
        this.#left = undefined
      }
    }
  }

  /** Whether that is news to show: not while a look is under way, which will tell. */
  join({ client, user }: Present): boolean {
    this.#left?.delete(client)
    const isNew = !this.#clients.has(client)
    this.#clients.set(client, user)
    return isNew && this.#left === undefined
  }

  leave({ client }: Present): boolean {
    this.#left?.add(client)
    return this.#clients.delete(client) && this.#left === undefined
  }
}
