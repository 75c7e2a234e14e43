import type { HeldCallers } from '../production.js'
import type { History } from '../world/history.js'

/** Counts requests of callers that the process knows. */
export function countHeldCallers(held: HeldCallers, history: History): void {
  const find = held.find.bind(held)
  held.find = (token) => {
    const caller = find(token)
    if (caller !== undefined) {
      history.count('held callers')
    }
    return caller
  }
}
