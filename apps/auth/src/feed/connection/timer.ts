/** setTimeout counts in 32 bits: 24.8 days, and a token may live 30. */
const maxTimeoutMs = 2 ** 31 - 1

/** Calls back at a moment in Unix milliseconds, unless `signal` has aborted by then. */
export function at(moment: number, signal: AbortSignal, callback: () => void): void {
  let timer: NodeJS.Timeout
  const wait = () => {
    const ms = moment - Date.now()
    timer =
      ms > maxTimeoutMs ? setTimeout(wait, maxTimeoutMs) : setTimeout(callback, Math.max(0, ms))
  }
  wait()
  signal.addEventListener('abort', () => clearTimeout(timer))
}
