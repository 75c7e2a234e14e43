import type { Readable } from 'node:stream'
import type { Environment } from './config.js'
import type { Stream } from './output/output.js'

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
