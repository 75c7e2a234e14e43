import type { Readable, Writable } from 'node:stream'

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>

/** An output stream; a terminal has a size in characters. */
export type Stream = Writable & { isTTY?: boolean; columns?: number; rows?: number }

/** The parts of the process that a command uses. Tests pass their own. */
export interface Shell {
  cwd: string
  /** Directory of the user's profiles. */
  configDir: string
  env: Environment
  stdin: Readable & { isTTY?: boolean }
  stdout: Stream
  stderr: Stream
  /** Calls `listener` at Ctrl-C or SIGTERM. Returns a function that removes the listener. */
  onStop(listener: () => void): () => void
}
