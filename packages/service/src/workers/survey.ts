import type { Report, Topic, WorkerReport } from './messages.js'

/** A worker, as a survey sees it. */
export interface Respondent {
  readonly number: number
  /** False until it accepts connections. */
  readonly serving: boolean
  question(id: number, topic: Topic): void
}

interface Open {
  /** Workers that have not answered. */
  waiting: Set<number>
  reports: WorkerReport[]
  finish: () => void
}

/** Asks all workers the same question, and waits for their reports. */
export class Survey {
  readonly #open = new Map<number, Open>()
  readonly #maxWaitMs: number
  #lastId = 0

  /** @param maxWaitMs - after this time the reports that have arrived are the result */
  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs
  }

  /** Returns one entry for each worker, in order, but for those that end meanwhile. */
  async ask(topic: Topic, workers: readonly Respondent[]): Promise<WorkerReport[]> {
    this.#lastId += 1
    const id = this.#lastId
    const serving = workers.filter((worker) => worker.serving)
    const waiting = new Set(serving.map(({ number }) => number))
    const reports: WorkerReport[] = []
    if (waiting.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#maxWaitMs)
        const finish = () => {
          clearTimeout(timer)
          resolve()
        }
        this.#open.set(id, { waiting, reports, finish })
        for (const worker of serving) {
          worker.question(id, topic)
        }
      })
      this.#open.delete(id)
    }
    const missing = workers
      .filter(({ number, serving }) => !serving || waiting.has(number))
      .map(({ number, serving }): WorkerReport => {
        return { worker: number, missing: serving ? 'no answer' : 'starting' }
      })
    return [...reports, ...missing].sort((a, b) => a.worker - b.worker)
  }

  /** Takes a worker's report. */
  reported(id: number, worker: number, report: Report): void {
    const open = this.#open.get(id)
    if (open?.waiting.delete(worker)) {
      open.reports.push({ worker, report })
      this.#finishIfComplete(open)
    }
  }

  /** Waits no longer for a worker that has ended. */
  ended(worker: number): void {
    for (const open of this.#open.values()) {
      if (open.waiting.delete(worker)) {
        this.#finishIfComplete(open)
      }
    }
  }

  #finishIfComplete({ waiting, finish }: Open): void {
    if (waiting.size === 0) {
      finish()
    }
  }
}
