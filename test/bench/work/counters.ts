import { readFile } from 'node:fs/promises'
import type { Redis } from '@portcullis/redis'
import { allocatedWhile } from '../measure/inspector.js'

/** A process whose work is counted. */
export interface Counted {
  name: string
  pid: number
  /** Address of its inspector. */
  inspector: string
}

/** Counts by name, for example `auth: system calls`. */
export type Counts = Readonly<Record<string, number>>

/**
 * Counts what the processes and their Redis did while `work` ran, per unit. Counts do not depend on the
 * speed of the machine. `system calls` are reads and writes of files and sockets; only Linux has them.
 */
export async function countWork(
  processes: readonly Counted[],
  redis: Redis,
  units: number,
  work: () => Promise<void>,
): Promise<Counts> {
  const all: Record<string, number> = {}
  const counting = async () => {
    const before = await counted(processes, redis)
    await work()
    for (const [name, count] of Object.entries(await counted(processes, redis))) {
      all[name] = count - (before[name] ?? 0)
    }
  }
  // Each level measures the allocations of one process more.
  const measuring = processes.reduce(
    (inner, { name, inspector }) =>
      async () => {
        all[`${name}: kB allocated`] = (await allocatedWhile(inspector, inner)) / 1000
      },
    counting,
  )
  await measuring()
  return Object.fromEntries(Object.entries(all).map(([name, count]) => [name, count / units]))
}

async function counted(
  processes: readonly Counted[],
  redis: Redis,
): Promise<Record<string, number>> {
  const stats = await redis.info('stats')
  const counts: Record<string, number> = {
    'Redis: commands': numberOf(stats, 'total_commands_processed'),
    'Redis: reads of requests': numberOf(stats, 'total_reads_processed'),
  }
  if (process.platform === 'linux') {
    for (const { name, pid } of processes) {
      const io = await readFile(`/proc/${pid}/io`, 'utf8')
      counts[`${name}: system calls`] = numberOf(io, 'syscr') + numberOf(io, 'syscw')
    }
  }
  return counts
}

function numberOf(text: string, key: string): number {
  const value = new RegExp(`^${key}: ?(\\d+)`, 'm').exec(text)?.[1]
  if (value === undefined) {
    throw new Error(`no ${key} in: ${text}`)
  }
  return Number(value)
}
