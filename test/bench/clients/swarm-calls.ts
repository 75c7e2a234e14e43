import type { ProtocolName } from './protocols.js'

/** Requests to a swarm, a process with many client sockets. */
export type SwarmCall =
  | OpenCall
  /** Opens further sockets, all at once; each tries again as an SDK does until it is admitted. */
  | (OpenCall & { again: true })
  /**
   * The first socket publishes `count` messages of `bytes` bytes into `channel`, `burst` at once, and the
   * next ones when every socket has received them; answers when all are received.
   */
  | { do: 'publish'; channel: string; count: number; burst: number; bytes: number }
  /** The first socket publishes a message of `bytes` bytes into each channel, without waiting. */
  | { do: 'publishInto'; channels: readonly string[]; bytes: number }
  /** Each socket publishes into its share of `channels`, the next message when one is confirmed. */
  | { do: 'publishConfirmed'; channels: readonly string[]; bytes: number }
  /** Answers when all sockets together have received `total` publications since they were opened. */
  | { do: 'received'; total: number }
  /** Answers when the server has closed the sockets from `from` up to, not including, `to`. */
  | { do: 'closed'; from: number; to: number; withinMs: number }
  /** Answers when socket `index` has received a payload of this number or a higher one. */
  | { do: 'reached'; index: number; number: number }
  /** Answers with the highest payload number that the sockets from `from` up to `to` have received. */
  | { do: 'highest'; from: number; to: number }
  /** Answers with the id that the server gave socket `index`. */
  | { do: 'client'; index: number }
  /** Cuts every socket and answers when all are closed. */
  | { do: 'drop' }

export interface OpenCall {
  do: 'open'
  protocol: ProtocolName
  /** The i-th socket connects to the i-th URL, and so on in turn. */
  urls: readonly string[]
  count: number
  /** Sockets that are being opened at the same time. */
  concurrency: number
  /** The i-th socket sends the i-th token with the upgrade. */
  tokens?: readonly string[]
  /** Token of every socket for the `connect` command. */
  connectToken?: string
  /** Channels of the i-th socket, and so on in turn. Default: none. */
  channels?: readonly (readonly string[])[]
}

/** The answer to a request. */
export interface SwarmAnswer {
  highest?: number
  closings?: Closings
  client?: string
  /** Attempts to connect that failed. */
  refused?: number
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
