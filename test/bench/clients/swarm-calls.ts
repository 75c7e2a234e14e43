import type { DialectName } from './dialects.js'

/** Requests to a swarm, a process with many client sockets to one server. */
export type SwarmCall =
  /** Opens `count` sockets, `concurrency` at a time; the i-th uses `tokens[i]`. */
  | {
      do: 'open'
      url: string
      dialect: DialectName
      count: number
      concurrency: number
      tokens?: readonly string[]
      /** Replaces the dialect's channels: the i-th socket subscribes to the i-th list. */
      channels?: readonly (readonly string[])[]
    }
  /**
   * The first socket publishes `count` messages of `bytes` bytes, `burst` at once, and the next ones
   * when every socket has received them; answers when all are received.
   */
  | { do: 'publish'; count: number; burst: number; bytes: number }
  /** The first socket publishes a message of `bytes` bytes into each channel, without waiting. */
  | { do: 'publishInto'; channels: readonly string[]; bytes: number }
  /** Answers when all sockets together have received `total` publications since they were opened. */
  | { do: 'received'; total: number }
  /** Answers when the server has closed every socket. */
  | { do: 'closings'; withinMs: number }
  /** Answers when the server has closed the sockets from `from` up to, not including, `to`. */
  | { do: 'closed'; from: number; to: number; withinMs: number }
  /** Answers when socket `index` has received a payload of this number or a higher one. */
  | { do: 'reached'; index: number; number: number }
  /** Answers with the highest payload number that the sockets from `from` up to `to` have received. */
  | { do: 'highest'; from: number; to: number }
  /** Cuts every socket and answers when all are closed. */
  | { do: 'drop' }

/** The answer to a request. */
export interface SwarmAnswer {
  highest?: number
  closings?: Closings
}

export interface Closings {
  /** Time when each socket received its close frame, in milliseconds of the monotonic clock. */
  at: number[]
  /** Number of sockets by close code. */
  codes: Record<string, number>
}

/** Returns the machine's monotonic clock in milliseconds, the same in every process. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
