import { execFile } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, type } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What figures depend on besides their own sizes. */
export interface Conditions {
  node: string
  redis: string
  system: string
  cpu: string
  cores: number
  /** Load average over one minute, before and after. */
  load: number[]
  /** Date, `2026-11-30`. */
  at: string
}

/** Reads the conditions now; `load` has one value. */
export async function conditions(): Promise<Conditions> {
  return {
    node: process.version.slice(1),
    redis: await redisVersion(),
    system: `${type()} ${release()} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: availableParallelism(),
    load: [load()],
    at: new Date().toISOString().slice(0, 10),
  }
}

/** Returns the load average over one minute, to a tenth. */
export function load(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10
}

/** Returns the version of the server that `startRedis` starts. */
async function redisVersion(): Promise<string> {
  for (const server of ['redis-server', 'valkey-server']) {
    const version = await run(server, ['--version']).then(
      ({ stdout }) => /v=(\S+)/.exec(stdout)?.[1],
      () => undefined,
    )
    if (version !== undefined) {
      return version
    }
  }
  return 'of unknown version'
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
