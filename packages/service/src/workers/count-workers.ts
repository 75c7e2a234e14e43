import { availableParallelism } from 'node:os'
import { Type } from '@sinclair/typebox'
import { ConfigError } from '../config.js'

export const maxWorkers = 64

/** The setting that `countWorkers` reads. */
export const workersSetting = {
  WORKERS: Type.String({
    default: '1',
    description: `processes that share PORT: 1 to ${maxWorkers}, or auto for one on each core`,
  }),
}

/**
 * Returns the number of processes that `WORKERS` asks for. `auto` is the number of cores that this process
 * may use.
 *
 * @throws ConfigError
 */
export function countWorkers(text: string): number {
  if (text === 'auto') {
    return Math.min(availableParallelism(), maxWorkers)
  }
  const count = /^[1-9]\d?$/.test(text) ? Number(text) : Number.NaN
  if (!(count <= maxWorkers)) {
    throw new ConfigError([`WORKERS must be a whole number from 1 to ${maxWorkers}, or auto`])
  }
  return count
}
