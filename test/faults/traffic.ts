import { setTimeout as delay } from 'node:timers/promises'
import type { TokenResponse } from '@portcullis/contracts/tokens'
import type { Teardown } from '@portcullis/local'
import { request } from 'undici'
import { channel, type Recorder, type Telling } from './recorder.js'

/** Between two publications, in milliseconds. */
const paceMs = 10

/** What `chat` gives. */
export interface Chat {
  stop(): void
  start(): void
}

/** Makes the clients say something, one after another, until it is stopped or the test is over. */
export function chat(t: Teardown, clients: readonly Recorder[]): Chat {
  let next = 0
  let timer: NodeJS.Timeout | undefined
  const stop = () => clearInterval(timer)
  const start = () => {
    timer = setInterval(() => {
      clients[next % clients.length]?.say()
      next += 1
    }, 2 * paceMs)
  }
  start()
  t.teardown(stop)
  return { stop, start }
}

/**
 * Publications through a node's server API that never stop: what a revoked client must not hear, and
 * what tells that another one lives.
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
    this.#ended = this.#flow()
  }

  static start(t: Teardown, nodeUrl: string, { access_token }: TokenResponse): Traffic {
    const traffic = new Traffic(nodeUrl, access_token)
    t.teardown(() => traffic.stop())
    return traffic
  }

  /** Waits until a client hears something that is published from now on. */
  async reaches(client: Recorder): Promise<void> {
    await client.hears(Traffic.from, this.#n + 1)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#ended
  }

  async #flow(): Promise<void> {
    while (!this.#stopped) {
      const data: Telling = { from: Traffic.from, n: ++this.#n }
      await this.#publish(data).catch(() => undefined)
      await delay(paceMs)
    }
  }

  /** What cannot be published now, because of the fault under test, is not published. */
  async #publish(data: Telling): Promise<void> {
    const { body } = await request(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` },
      body: JSON.stringify({ channel, data }),
      headersTimeout: 3000,
    })
    await body.dump()
  }
}
