/** A client in a channel. */
export interface PresentClient {
  client: string
  user: string
}

/**
 * The clients in a channel, from one presence request and the join and leave events around it. Events
 * that arrive during the request are newer than its answer.
 */
export class Presence {
  readonly #clients = new Map<string, string>()
  /** Clients that left during the request; undefined when no request is in progress. */
  #leftDuringRequest: Set<string> | undefined

  /** Returns the number of clients of each user. */
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

  /** Replaces the clients by the answer of `request`. */
  async load(request: () => Promise<readonly PresentClient[]>): Promise<void> {
    this.#clients.clear()
    const left = new Set<string>()
    this.#leftDuringRequest = left
    try {
      for (const { client, user } of await request()) {
        if (!left.has(client)) {
          this.#clients.set(client, user)
        }
      }
    } finally {
      if (this.#leftDuringRequest === left) {
        this.#leftDuringRequest = undefined
      }
    }
  }

  /** Adds a client. Returns true when the change should be shown; `load` shows changes during it. */
  join({ client, user }: PresentClient): boolean {
    this.#leftDuringRequest?.delete(client)
    const isNew = !this.#clients.has(client)
    this.#clients.set(client, user)
    return isNew && this.#leftDuringRequest === undefined
  }

  /** Removes a client. Returns true when the change should be shown. */
  leave({ client }: PresentClient): boolean {
    this.#leftDuringRequest?.add(client)
    return this.#clients.delete(client) && this.#leftDuringRequest === undefined
  }
}
