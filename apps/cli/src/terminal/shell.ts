import type { Readable, Writable } from 'node:stream'

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>

/** An output stream that may be a terminal, with its size in characters. */
export type Stream = Writable & { isTTY?: boolean; columns?: number; rows?: number }

/** What a command has of the process that it runs in. */
export interface Shell {
  cwd: string
  /** Where this person's profiles are kept. */
  configDir: string
  env: Environment
  stdin: Readable & { isTTY?: boolean }
  stdout: Stream
  stderr: Stream
  /** Calls `listener` when the person wants it to end: Ctrl-C. Gives what stops listening. */
  onStop(listener: () => void): () => void
}
