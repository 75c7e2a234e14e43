import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Signed-in users, by the secret in their cookie. A real application has its own sign-in, with passwords and
 * a database; this one believes every name.
 */
export class Sessions {
  readonly #users = new Map<string, string>()

  /** Begins a session, and gives its cookie to the browser. Scripts of the page cannot read it. */
  begin(user: string, reply: FastifyReply): void {
    const secret = randomBytes(32).toString('base64url')
    this.#users.set(secret, user)
    reply.header('set-cookie', `session=${secret}; HttpOnly; SameSite=Strict; Path=/`)
  }

  /** Returns the user of a request. */
  userOf(request: FastifyRequest): string | undefined {
    const secret = /(?:^|; )session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
    return secret === undefined ? undefined : this.#users.get(secret)
  }

  /** Ends all sessions of a user. */
  end(user: string): void {
    for (const [secret, each] of this.#users) {
      if (each === user) {
        this.#users.delete(secret)
      }
    }
  }
}
