import { Pool } from 'undici'
import type { Peer } from '../peers/peer.js'

/** Number of channels over which the sockets of an audience are distributed. */
const spreadOver = 100

/** Returns the channel of the socket with this index, or of the publication with this number. */
export function spreadChannel(index: number): string {
  return `spread-${index % spreadOver}`
}

export interface Traffic {
  /** Number of the last publication that was sent. */
  readonly published: number
  /** Resolves when each channel had a publication after now; returns the number to wait for. */
  oneOfEach(): Promise<number>
  stop(): void
}

let published = 0

/** Publishes at a steady rate through all nodes and into all channels in turn. */
export function startTraffic(api: NonNullable<Peer['api']>, perSecond: number): Traffic {
  const pools = api.urls.map((url) => ({
    pool: new Pool(new URL(url).origin, { connections: 4 }),
    path: `${new URL(url).pathname}/publish`,
  }))
  let confirmed = 0
  let failed: Error | undefined
  const waiting = new Set<() => void>()
  const publish = async (number: number) => {
    const { pool, path } = pools[number % pools.length] ?? {}
    const answer = await pool?.request({
      method: 'POST',
      path: path ?? '',
      headers: { 'content-type': 'application/json', ...api.headers },
      body: JSON.stringify({ channel: spreadChannel(number), data: { bench: number } }),
    })
    const text = (await answer?.body.text()) ?? ''
    if (answer?.statusCode !== 200 || text.includes('"error"')) {
      throw new Error(`the server API answered ${answer?.statusCode}: ${text}`)
    }
    confirmed = Math.max(confirmed, number)
  }
  const timer = setInterval(() => {
    published += 1
    publish(published)
      .catch((error: Error) => {
        failed = error
      })
      .then(() => {
        for (const wake of waiting) {
          wake()
        }
        waiting.clear()
      })
  }, 1000 / perSecond)
  return {
    get published() {
      return published
    },
    async oneOfEach() {
      const after = published
      while (confirmed < after + spreadOver) {
        if (failed !== undefined) {
          throw failed
        }
        await new Promise<void>((resolve) => {
          waiting.add(resolve)
        })
      }
      return after + 1
    },
    stop() {
      clearInterval(timer)
      for (const { pool } of pools) {
        pool.destroy().catch(() => undefined)
      }
    },
  }
}
