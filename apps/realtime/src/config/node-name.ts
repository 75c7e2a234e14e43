import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { ConfigError, type WorkerPlace } from '@portcullis/service'

const maxLength = 128
/** Characters that the number of a worker may add. */
const suffixLength = 3

/**
 * Returns a name that no other process has: host name, port, and random characters, because two processes
 * may share both (two containers with one host name).
 */
export function defaultNodeName(port: number, host = hostname()): string {
  const part = host.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 80)
  return `realtime-${part}-${port}-${randomBytes(4).toString('hex')}`
}

/** Returns the name of one worker: the node's name and the worker's number. */
export function workerName(name: string, { number }: WorkerPlace): string {
  return `${name}-${number}`
}

/** Throws a ConfigError when no number of a worker fits behind the name. */
export function requireRoomForNumber(name: string): void {
  if (name.length + suffixLength > maxLength) {
    throw new ConfigError([
      `NODE_NAME must have at most ${maxLength - suffixLength} characters with WORKERS above 1, because each worker's name ends in its number`,
    ])
  }
}
