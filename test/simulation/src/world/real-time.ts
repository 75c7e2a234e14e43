/** Node's own function, before `globals.ts` replaces it. */
const { setImmediate } = globalThis

/** Events per turn of the event loop, since a turn costs more than most events. */
const eventsPerTurn = 512

/**
 * Calls `step` until it returns false, then `done`. Node settles all promises between two callbacks of one
 * turn, so the consequences of a step are over before the next step. Calls `between` after each turn, when
 * Node runs other callbacks.
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
