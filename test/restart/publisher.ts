import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'

export interface PublisherOptions {
  /** `http://…` of every node. */
  urls: readonly string[]
  token: string
  channels: readonly string[]
  /** Between two publications, in milliseconds. */
  paceMs: number
}

/** Publications that were under way at a time. */
const lanes = 8

/**
 * An application's backend that publishes numbers into each channel, through whatever node is there:
 * what one does not take it says to another, under the same idempotency key, until one has taken it.
 */
export class Publisher {
  /** By channel: each number and the offset that it was acknowledged with. */
  readonly acknowledged: Record<string, [number, number][]> = {}
  /** Answers that sent it elsewhere. */
  readonly refusals: { status: number; retryAfter: string | undefined }[] = []
  /** Requests that nobody answered. */
  unanswered = 0
  readonly #options: PublisherOptions
  #stopped = false
  readonly #ended: Promise<unknown>

  constructor(options: PublisherOptions) {
    this.#options = options
    const { channels } = options
    for (const channel of channels) {
      this.acknowledged[channel] = []
    }
    this.#ended = Promise.all(
      Array.from({ length: lanes }, (_, lane) =>
        this.#flow(channels.filter((_channel, index) => index % lanes === lane)),
      ),
    )
    this.#ended.catch(() => undefined)
  }

  get count(): number {
    return Object.values(this.acknowledged).reduce((sum, { length }) => sum + length, 0)
  }

  /** Resolves when everything that was begun is acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#ended
  }

  async #flow(channels: readonly string[]): Promise<void> {
    for (let n = 1; !this.#stopped; n += 1) {
      for (const channel of channels) {
        this.acknowledged[channel]?.push([n, await this.#publish(channel, n)])
        await delay(lanes * this.#options.paceMs)
      }
    }
  }

  /** Gives the offset. */
  async #publish(channel: string, n: number): Promise<number> {
    const body = JSON.stringify({ channel, data: { n }, idempotency_key: `${n}` })
    for (let at = Math.floor(Math.random() * 4); ; at += 1) {
      const url = this.#options.urls[at % this.#options.urls.length]
      const answer = await this.#post(`${url}/api/publish`, body)
      if (answer !== undefined) {
        return answer
      }
      // Nobody is there at this moment, or all of them send us on.
      await delay(10)
    }
  }

  async #post(url: string, body: string): Promise<number | undefined> {
    const { token } = this.#options
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body,
    }).catch(() => undefined)
    if (answer === undefined) {
      this.unanswered += 1
      return undefined
    }
    const text = await answer.body.text().catch(() => '')
    if (answer.statusCode !== 200) {
      const retryAfter = answer.headers['retry-after']
      this.refusals.push({ status: answer.statusCode, retryAfter: retryAfter?.toString() })
      return undefined
    }
    const { result } = JSON.parse(text) as { result?: { offset: number } }
    if (result === undefined) {
      this.unanswered += 1
    }
    return result?.offset
  }
}
