import type { Watch } from '../production.js'
import type { Process } from '../world/process.js'

/** Returns a log for production code that writes into the history. */
export function logOf(process: Process): ConstructorParameters<typeof Watch>[0] {
  const write = (...args: unknown[]): void =>
    process.note(() => args.filter((arg) => typeof arg === 'string').join(' '))
  return { info: write, warn: write, error: write, debug: write } as never
}
