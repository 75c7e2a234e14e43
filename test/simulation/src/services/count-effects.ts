import type { Watch } from '../production.js'
import type { History } from '../world/history.js'

/** Counts how often an acknowledgement waits for effects under way. */
export function countEffects(watch: Watch, history: History): void {
  const effectsOver = watch.effectsOver.bind(watch)
  watch.effectsOver = (which) => {
    const effects = effectsOver(which)
    if (effects !== undefined) {
      history.count('acknowledgements that waited for effects')
    }
    return effects
  }
}
