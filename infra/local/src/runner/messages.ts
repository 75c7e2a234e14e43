import type { Counts, Failure } from './counts.js'

/** Asks a host to run a test file. */
export interface HostRequest {
  /** Relative to the workspace. */
  file: string
  /** Absolute path of the compiled file. */
  program: string
  timeoutMs: number
}

/** What the file came to. */
export interface HostReply extends Counts {
  failures: readonly Failure[]
  comments: readonly string[]
  skipped: readonly string[]
  /** False if the file has left something open, or has changed the environment or the folder. */
  reusable: boolean
}
