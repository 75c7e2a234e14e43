import cluster from 'node:cluster'
import type { Environment } from '../config.js'

/** Which of the processes that share a port this process is. */
export interface WorkerPlace {
  /** From 1; a worker's successor has the same number. */
  number: number
  count: number
}

/** Returns the environment variable that tells a worker its place. */
export function placeVariable({ number, count }: WorkerPlace): Record<string, string> {
  return { WORKER_PLACE: `${number}/${count}` }
}

/** Returns the place of this process; undefined if it is not a worker. */
export function placeOf(environment: Environment): WorkerPlace | undefined {
  const [, number, count] = /^(\d+)\/(\d+)$/.exec(environment['WORKER_PLACE'] ?? '') ?? []
  return cluster.isWorker && number !== undefined
    ? { number: Number(number), count: Number(count) }
    : undefined
}
