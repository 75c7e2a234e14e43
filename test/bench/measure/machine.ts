import { execFile } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The machine, on which the figures depend. */
export interface Machine {
  node: string
  system: string
  cpu: string
  cores: number
  memoryGiB: number
}

export function machine(): Machine {
  return {
    node: process.version,
    system: `${type()} ${release()} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  }
}

/** File descriptors that a server needs besides its clients' sockets. */
const spare = 256

/**
 * Returns how many of `wanted` sockets one process may open. Node raises its soft limit to the hard
 * limit at its start, so the hard limit counts.
 */
export async function socketsPerProcess(wanted: number): Promise<number> {
  const { stdout } = await run('/bin/sh', ['-c', 'ulimit -Hn'])
  const limit = Number(stdout.trim())
  return Number.isNaN(limit) ? wanted : Math.min(wanted, limit - spare)
}
