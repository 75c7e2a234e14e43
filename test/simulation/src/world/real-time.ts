/** Taken before `globals.ts` replaces it. */
const { setImmediate } = globalThis

/** Turns of the event loop cost more than what most events do: so many events share one. */
const eventsPerTurn = 512

/**
 * Calls `step` again and again until it gives false, then `done`. Node settles all promises between
 * two callbacks of one turn, so everything that a step has set off is over before the next begins.
 * `between` is called after each turn: what else Node does then is none of the steps'.
 */
export function immediately(step: () => boolean, between: () => void, done: () => void): void {
  let over = false
  const one = (): void => {
    if (!over && !step()) {
      over = true
    }
  }
  const turn = (): void => {
    between()
    if (over) {
      done()
      return
    }
    for (let count = 0; count < eventsPerTurn; count++) {
      setImmediate(one)
    }
    setImmediate(turn)
  }
  turn()
}
