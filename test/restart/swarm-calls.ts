import type { Journal } from './recovering-client.js'

/** What a test asks of a swarm: a process with many recovering clients. */
export type SwarmCall =
  /** Opens `count` clients, `concurrency` at a time; answers when all of them are subscribed. */
  | {
      do: 'open'
      urls: readonly string[]
      /** The i-th client shows the i-th of them, and is in the i-th channel; then from the start again. */
      tokens: readonly string[]
      channels: readonly string[]
      count: number
      concurrency: number
    }
  /** Answers when every client is subscribed and has what was acknowledged in its channel. */
  | { do: 'settle'; acknowledged: Acknowledged; withinMs: number }
  /** Holds every client's record against what was acknowledged; answers with what all of them saw. */
  | { do: 'judge'; acknowledged: Acknowledged }

/** By channel: each publication's number and its offset. */
export type Acknowledged = Readonly<Record<string, readonly (readonly [number, number])[]>>

export interface SwarmAnswer {
  journal?: Journal
  /** How many publications all of them have heard. */
  heard?: number
}
