import { maxTimerMs } from '@portcullis/gate/grants'

/**
 * Calls back at a moment in Unix milliseconds, unless `signal` has aborted by then. A token may live longer
 * than a timer: 30 days.
 */
export function at(moment: number, signal: AbortSignal, callback: () => void): void {
  let timer: NodeJS.Timeout
  const wait = () => {
    const ms = moment - Date.now()
    timer = ms > maxTimerMs ? setTimeout(wait, maxTimerMs) : setTimeout(callback, Math.max(0, ms))
  }
  wait()
  signal.addEventListener('abort', () => clearTimeout(timer))
}
