import type { TokenSource } from './token-source.js'

/** A token in use for this long is replaced after a dial that failed for an unknown reason. */
const suspectAfterMs = 30_000

/** The tokens of one client: the current one, and one that must not be used again. */
export class ConnectionTokens {
  readonly #source: TokenSource
  /** The token of the newest dial or refresh. */
  #current: string | undefined
  #refused: string | undefined
  /** Dials since the last socket that opened. */
  #unopened = 0
  /** When the first dial used the current token. */
  #firstDialedAt = 0

  constructor(source: TokenSource) {
    this.#source = source
  }

  /**
   * Returns a token for the next dial. While connected, this is a refresh, which needs another
   * token than the one that expires.
   *
   * @throws TokenError
   */
  async next(isConnected: boolean): Promise<string> {
    const token = await this.#source.get({
      otherThan: isConnected ? this.#current : this.#refused,
    })
    if (token !== this.#current) {
      this.#firstDialedAt = 0
    }
    this.#current = token
    return token
  }

  /** Returns the token of the dial that begins now. */
  dial(): string {
    this.#firstDialedAt ||= Date.now()
    return this.#current ?? ''
  }

  opened(): void {
    this.#unopened = 0
  }

  /** Notes that a token, by default the current one, must not be used again. */
  refuse(token = this.#current): void {
    this.#refused = token
  }

  /**
   * Notes a dial that failed for an unknown reason: the token may have been refused, or the node
   * may be down. Replaces the token after the first failure, and then at most every
   * `suspectAfterMs`, or all clients of a node that is down would ask auth at each dial.
   */
  failed(token: string): void {
    this.#unopened += 1
    if (this.#unopened === 1 || Date.now() - this.#firstDialedAt >= suspectAfterMs) {
      this.#refused = token
    }
  }
}
