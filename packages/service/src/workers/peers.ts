import {
  isToWorker,
  type Report,
  type ToPrimary,
  type Topic,
  type WorkerReport,
} from './messages.js'
import type { WorkerPlace } from './place.js'

/** Returns what this process says about a topic. */
export type MakeReport = () => Promise<Report>

/** All workers of the service, as one of them reaches them. */
export interface Peers {
  readonly place: WorkerPlace
  /** Sets how this worker answers questions about `topic`. */
  answer(topic: Topic, make: MakeReport): void
  /** Asks every worker, this one too. Rejects when the primary process has ended. */
  ask(topic: Topic): Promise<WorkerReport[]>
  /** Announces that this worker closes. Returns true if other workers go on. */
  leave(): Promise<boolean>
}

/** How long the primary process may take to answer `leave`, in milliseconds. */
const maxLeaveMs = 500

let joined: Peers | undefined

/** Returns the workers of this service; undefined if it is one process. */
export function peers(): Peers | undefined {
  return joined
}

/** Connects this worker with the others. Call it once, before the service is built. */
export function joinPeers(place: WorkerPlace): void {
  const makers = new Map<Topic, MakeReport>()
  const asked = new Map<number, PromiseWithResolvers>()
  let lastId = 0
  let left: (alone: boolean) => void = () => undefined
  process.on('message', async (message) => {
    if (!isToWorker(message)) {
      return
    }
    if (message.type === 'leave') {
      left(message.alone)
      return
    }
    const { id } = message
    if (message.type === 'reports') {
      asked.get(id)?.resolve(message.reports)
      asked.delete(id)
      return
    }
    const report = await makers
      .get(message.topic)?.()
      .catch(() => undefined)
    if (report !== undefined) {
      tellPrimary({ type: 'report', id, report })
    }
  })
  process.once('disconnect', () => {
    for (const { reject } of asked.values()) {
      reject(new Error('the primary process has ended'))
    }
    asked.clear()
  })
  joined = {
    place,
    answer(topic, make) {
      makers.set(topic, make)
    },
    ask(topic) {
      lastId += 1
      const id = lastId
      return new Promise((resolve, reject) => {
        asked.set(id, { resolve, reject })
        tellPrimary({ type: 'ask', id, topic })
      })
    },
    leave() {
      return new Promise((resolve) => {
        left = resolve
        tellPrimary({ type: 'leaving' })
        setTimeout(resolve, process.connected ? maxLeaveMs : 0, false)
      })
    },
  }
}

interface PromiseWithResolvers {
  resolve(reports: WorkerReport[]): void
  reject(error: Error): void
}

/** Sends a message to the primary process; does nothing when that has ended. */
export function tellPrimary(message: ToPrimary): void {
  if (process.connected) {
    process.send?.(message, undefined, undefined, () => undefined)
  }
}
