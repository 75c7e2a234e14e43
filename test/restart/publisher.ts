import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'

export interface PublisherOptions {
  /** `http://…` of every node. */
  urls: readonly string[]
  token: string
  channels: readonly string[]
  /** Time between two publications, in milliseconds. */
  intervalMs: number
}

/** Number of concurrent publications. */
const lanes = 8

/**
 * An application's backend that publishes consecutive numbers into each channel. A publication that a
 * node does not accept is sent to another node, with the same idempotency key, until one accepts it.
 */
export class Publisher {
  /** By channel: each acknowledged number and its offset. */
  readonly acknowledged: Record<string, [number, number][]> = {}
  /** Responses with an error status. */
  readonly refusals: { status: number; retryAfter: string | undefined }[] = []
  /** Requests without a response. */
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
        this.#run(channels.filter((_channel, index) => index % lanes === lane)),
      ),
    )
    this.#ended.catch(() => undefined)
  }

  get count(): number {
    return Object.values(this.acknowledged).reduce((sum, { length }) => sum + length, 0)
  }

  /** Resolves when every publication in flight is acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#ended
  }

  async #run(channels: readonly string[]): Promise<void> {
    for (let n = 1; !this.#stopped; n += 1) {
      for (const channel of channels) {
        this.acknowledged[channel]?.push([n, await this.#publish(channel, n)])
        await delay(lanes * this.#options.intervalMs)
      }
    }
  }

  /** Publishes until a node accepts; returns the offset. */
  async #publish(channel: string, n: number): Promise<number> {
    const body = JSON.stringify({ channel, data: { n }, idempotency_key: `${n}` })
    for (let at = Math.floor(Math.random() * 4); ; at += 1) {
      const url = this.#options.urls[at % this.#options.urls.length]
      const answer = await this.#post(`${url}/api/publish`, body)
      if (answer !== undefined) {
        return answer
      }
      // No node accepts publications now.
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
