import type { DialectName } from './dialects.js'

/** What the benchmark asks of a swarm: a process that holds many client sockets to one server. */
export type SwarmCall =
  /** Opens `count` sockets, `concurrency` at a time; the i-th shows `tokens[i]`. */
  | {
      do: 'open'
      url: string
      dialect: DialectName
      count: number
      concurrency: number
      tokens?: readonly string[]
      /** In place of the dialect's own: the i-th socket subscribes to the i-th list of these. */
      channels?: readonly (readonly string[])[]
    }
  /**
   * The first socket publishes `count` messages of `bytes` bytes, `burst` of them at once, and the
   * next when each socket has received each of them; answers when all are received.
   */
  | { do: 'publish'; count: number; burst: number; bytes: number }
  /** The first socket publishes a message of `bytes` bytes into each channel, and waits for nothing. */
  | { do: 'tell'; channels: readonly string[]; bytes: number }
  /** Answers when all sockets together have received so many publications since they were opened. */
  | { do: 'heard'; total: number }
  /** Answers when the server has closed every socket. */
  | { do: 'closings'; withinMs: number }
  /** Answers when the server has closed the sockets from `from` up to, not including, `to`. */
  | { do: 'closed'; from: number; to: number; withinMs: number }
  /** Answers when socket `index` has received a payload of this number or a higher one. */
  | { do: 'reached'; index: number; number: number }
  /** The highest number of a payload that the sockets from `from` up to `to` have received. */
  | { do: 'highest'; from: number; to: number }
  /** Drops every socket and answers when all are gone. */
  | { do: 'drop' }

/** What it answers. */
export interface SwarmAnswer {
  highest?: number
  closings?: Closings
}

export interface Closings {
  /** When each socket received its close frame, in milliseconds of this machine's monotonic clock. */
  at: number[]
  /** Close codes, and how many sockets had each. */
  codes: Record<string, number>
}

/** This machine's monotonic clock in milliseconds: the same in every process. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
