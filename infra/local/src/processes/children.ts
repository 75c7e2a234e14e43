import { LocalError } from '../errors.js'
import type { Child } from './child.js'

/** What a run has started; stopped in the reverse order. */
export interface Children {
  /**
   * Takes a child in; those of one group stop together.
   * @throws LocalError `process_failed` when the run is stopping; then the child is killed.
   */
  adopt(group: string, child: Child): void
  /** Told of each child that ends while the run goes on. */
  onUnexpectedEnd: (child: Child, how: string) => void
  /** Stops everything, group by group, the last one first. Safe to call again. */
  stop(): Promise<void>
  /** Kills everything at once. */
  kill(): void
}

/** Keeps the children of one run in order. */
export function newChildren(): Children {
  const groups = new Map<string, Child[]>()
  let stopping: Promise<void> | undefined
  const stop = async () => {
    for (const children of [...groups.values()].reverse()) {
      await Promise.all(children.map((child) => child.stop()))
    }
  }
  const all: Children = {
    adopt(group, child) {
      const children = groups.get(group) ?? []
      groups.set(group, [...children, child])
      if (stopping !== undefined) {
        child.kill()
        throw new LocalError('process_failed', `${child.name} was stopped`)
      }
      child.ended.then((how) => {
        if (stopping === undefined) {
          all.onUnexpectedEnd(child, how)
        }
      })
    },
    onUnexpectedEnd: () => undefined,
    stop() {
      stopping ??= stop()
      return stopping
    },
    kill() {
      for (const child of [...groups.values()].flat()) {
        child.kill()
      }
    },
  }
  return all
}
