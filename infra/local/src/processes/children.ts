import { LocalError } from '../errors.js'
import type { Child } from './child.js'

/** The processes of a run, in groups that stop in the reverse order of their start. */
export interface Children {
  /**
   * Adds a child to a group. The children of a group stop together.
   * @throws LocalError `process_failed` when the run is stopping; then the child is killed.
   */
  adopt(group: string, child: Child): void
  /** Called for each child that ends before `stop`. */
  onUnexpectedEnd: (child: Child, how: string) => void
  /** Stops all groups, the last one first. Idempotent. */
  stop(): Promise<void>
  /** Kills all children at once. */
  kill(): void
}

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
