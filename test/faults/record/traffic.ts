import { setTimeout as delay } from 'node:timers/promises'
import type { TokenResponse } from '@portcullis/contracts/tokens'
import type { Teardown } from '@portcullis/local'
import { request } from 'undici'
import { channel, type Data, type Recorder } from './recorder.js'

/** Time between two publications, in milliseconds. */
const intervalMs = 10

/** Controls the publications of `chat`. */
export interface Chat {
  stop(): void
  start(): void
}

/** Makes the clients publish in turn, until it is stopped or the test ends. */
export function chat(t: Teardown, clients: readonly Recorder[]): Chat {
  let next = 0
  let timer: NodeJS.Timeout | undefined
  const stop = () => clearInterval(timer)
  const start = () => {
    timer = setInterval(() => {
      clients[next % clients.length]?.publish()
      next += 1
    }, 2 * intervalMs)
  }
  start()
  t.teardown(stop)
  return { stop, start }
}

/**
 * Continuous publications through a node's server API. A revoked client must not receive them; for
 * other clients they show that delivery works.
 */
export class Traffic {
  static readonly from = 'press'
  readonly #url: string
  readonly #token: string
  #n = 0
  #stopped = false
  readonly #ended: Promise<void>

  private constructor(url: string, token: string) {
    this.#url = `${url}/api/publish`
    this.#token = token
    this.#ended = this.#run()
  }

  static start(t: Teardown, nodeUrl: string, { access_token }: TokenResponse): Traffic {
    const traffic = new Traffic(nodeUrl, access_token)
    t.teardown(() => traffic.stop())
    return traffic
  }

  /** Waits until a client receives a publication sent after this call. */
  async reaches(client: Recorder): Promise<void> {
    await client.receives(Traffic.from, this.#n + 1)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#ended
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const data: Data = { from: Traffic.from, n: ++this.#n }
      await this.#publish(data).catch(() => undefined)
      await delay(intervalMs)
    }
  }

  /** Publishes once; failures, which the tested faults cause, are not repeated. */
  async #publish(data: Data): Promise<void> {
    const { body } = await request(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` },
      body: JSON.stringify({ channel, data }),
      headersTimeout: 3000,
    })
    await body.dump()
  }
}
