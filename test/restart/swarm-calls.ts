import type { Journal } from './recovering-client.js'

/** Requests to a swarm, a process with many recovering clients. */
export type SwarmCall =
  /** Opens `count` clients, `concurrency` at a time; answers when all of them are subscribed. */
  | {
      do: 'open'
      urls: readonly string[]
      /** The i-th client uses the i-th token and the i-th channel, modulo their numbers. */
      tokens: readonly string[]
      channels: readonly string[]
      count: number
      concurrency: number
    }
  /** Answers when every client is subscribed and has every acknowledged publication of its channel. */
  | { do: 'settle'; acknowledged: Acknowledged; withinMs: number }
  /** Compares every client's record with the acknowledged publications; answers with the journal. */
  | { do: 'judge'; acknowledged: Acknowledged }

/** By channel: number and offset of each publication. */
export type Acknowledged = Readonly<Record<string, readonly (readonly [number, number])[]>>

export interface SwarmAnswer {
  journal?: Journal
  /** Publications that all clients together received. */
  received?: number
}
