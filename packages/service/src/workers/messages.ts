import type { MetricObjectWithValues, MetricValue } from 'prom-client'

/** Values of a process's metrics. */
export type Metrics = MetricObjectWithValues<MetricValue<string>>[]

/** What a process may be asked about itself. */
export type Topic = 'health' | 'readiness' | 'metrics'

/** What a process says about itself; only the part that belongs to the topic. */
export interface Report {
  /** Why the process has to end. */
  failure?: string
  /** Why the process is not ready, by check. */
  reasons?: Readonly<Record<string, string>>
  metrics?: Metrics
}

/** The report of one worker; instead, `missing` when it sent no report. */
export interface WorkerReport {
  /** From 1. 0: counters of processes that have ended. */
  worker: number
  report?: Report
  missing?: 'starting' | 'no answer'
}

export type ToPrimary =
  /** The worker accepts connections. */
  | { type: 'serving' }
  /** The worker is about to close. */
  | { type: 'leaving' }
  /** Asks for the reports of all workers. `id` is the worker's own. */
  | { type: 'ask'; id: number; topic: Topic }
  /** Reply to `question`. */
  | { type: 'report'; id: number; report: Report }

export type ToWorker =
  /** Reply to `leaving`. `alone`: other workers go on, so new connections are for them. */
  | { type: 'leave'; alone: boolean }
  /** Asks the worker for its report. `id` is the primary's. */
  | { type: 'question'; id: number; topic: Topic }
  /** Reply to `ask`. */
  | { type: 'reports'; id: number; reports: WorkerReport[] }

export function isToPrimary(message: unknown): message is ToPrimary {
  return isOneOf(message, ['serving', 'leaving', 'ask', 'report'])
}

export function isToWorker(message: unknown): message is ToWorker {
  return isOneOf(message, ['leave', 'question', 'reports'])
}

/** Node itself sends messages on the same channel, so a message may be anything. */
function isOneOf(message: unknown, types: readonly string[]): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    typeof message.type === 'string' &&
    types.includes(message.type)
  )
}
