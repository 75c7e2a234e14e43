/** Returns the milliseconds to wait before the next attempt to connect. */
export function retryDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), 2000) * (0.5 + Math.random() / 2)
}
