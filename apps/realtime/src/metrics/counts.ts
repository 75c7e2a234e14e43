import { newTimings, type Timings } from './timings.js'

/** Callers of the server API may choose close codes; more different ones are counted together. */
const maxCodes = 100

/** Counters of this node since its start. */
export interface Counts {
  readonly timings: Timings
  /** Publications that entered on this node. */
  published: number
  /** Publications received from Redis. */
  received: number
  /** Closed connections by close code. */
  readonly disconnects: Map<number | 'other', number>
  /** What limits refused. */
  readonly limited: {
    /** Commands over the rate of a connection. */
    commands: number
    /** Requests and commands over the rate of an identity at the server API. */
    requests: number
    /** Upgrades and requests from addresses with too many refusals. */
    refusals: number
  }
}

export function newCounts(): Counts {
  return {
    timings: newTimings(),
    published: 0,
    received: 0,
    disconnects: new Map(),
    limited: { commands: 0, requests: 0, refusals: 0 },
  }
}

/** Counts a closed connection by its close code. */
export function countClose({ disconnects }: Pick<Counts, 'disconnects'>, code: number): void {
  const key = disconnects.has(code) || disconnects.size < maxCodes ? code : 'other'
  disconnects.set(key, (disconnects.get(key) ?? 0) + 1)
}
