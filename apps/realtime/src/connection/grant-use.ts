import type { EndReason, Grant, Tokens } from './tokens.js'

/** A connection as its grant sees it. */
export interface GrantUser {
  readonly node: { readonly tokens: Tokens }
  readonly closed: boolean
  grantEnded(reason: EndReason): void
}

/** The grant that a connection uses, watched until nothing of the connection is left. */
export class GrantUse {
  readonly #user: GrantUser
  #grant: Grant
  #release: (() => void) | undefined

  /** Watches nothing until `use` is called. */
  constructor(user: GrantUser, grant: Grant) {
    this.#user = user
    this.#grant = grant
  }

  get grant(): Grant {
    return this.#grant
  }

  /**
   * Uses this grant from now on. It is watched before the previous one is released, so that the
   * connection outlives a revocation of the previous one, and one of them always covers it.
   */
  use(grant: Grant): void {
    if (this.#user.closed) {
      return
    }
    const releasePrevious = this.#release
    this.#release = undefined
    this.#grant = grant
    const release = this.#user.node.tokens.watch(grant, (reason) => this.#user.grantEnded(reason))
    releasePrevious?.()
    if (this.#user.closed) {
      release()
    } else {
      this.#release = release
    }
  }

  release(): void {
    this.#release?.()
    this.#release = undefined
  }
}
