import type { Process } from '../world/process.js'
import type { AuthReach } from './auth-reach.js'

/** The node's own token: fetched once, and fetched again when auth refuses it. */
export class OwnToken {
  /** The simulated node always has working credentials. */
  readonly problem = undefined
  readonly #process: Process
  readonly #auth: AuthReach
  readonly #timeoutMs: number
  #held: string | undefined

  constructor(process: Process, auth: AuthReach, timeoutMs: number) {
    this.#process = process
    this.#auth = auth
    this.#timeoutMs = timeoutMs
  }

  async token(): Promise<string> {
    if (this.#held !== undefined) {
      return this.#held
    }
    const answer = await this.#auth.request(this.#process, { kind: 'token' }, this.#timeoutMs)
    if (answer.status !== 200 || !('token' in answer)) {
      throw new Error('auth issued no token')
    }
    this.#held = answer.token
    return answer.token
  }

  async renew(refused: string): Promise<string> {
    if (this.#held === refused) {
      this.#held = undefined
    }
    return this.token()
  }
}
