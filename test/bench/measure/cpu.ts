import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Returns the CPU time of a process, user and system, all threads, in microseconds.
 * Linux: to the nanosecond, from the scheduler. Elsewhere (macOS): `ps`, to 10 ms.
 */
export async function cpuMicroseconds(pid: number): Promise<number> {
  try {
    return process.platform === 'linux' ? await fromScheduler(pid) : await fromPs(pid)
  } catch (error) {
    throw new Error(`the measured process ${pid} has ended`, { cause: error })
  }
}

const idleShare = 0.05
const idleWindowMs = 100
const idleLimitMs = 10_000

/** Waits until the processes are idle: no garbage or closed sockets left from before. */
async function idle(pids: readonly number[]): Promise<void> {
  if (pids.length === 0) {
    return
  }
  const used = () => Promise.all(pids.map(cpuMicroseconds))
  for (let waited = 0; waited < idleLimitMs; waited += idleWindowMs) {
    const before = await used()
    await sleep(idleWindowMs)
    const after = await used()
    const busy = after.map((value, index) => value - (before[index] ?? 0))
    if (Math.max(...busy) < idleShare * idleWindowMs * 1000) {
      return
    }
  }
}

/**
 * Returns the CPU time of several processes while `work` ran, in microseconds, in the order of `pids`.
 * Waits first until they are idle.
 */
export async function cpuWhile(
  pids: readonly number[],
  work: () => Promise<void>,
): Promise<number[]> {
  await idle(pids)
  const before = await Promise.all(pids.map(cpuMicroseconds))
  await work()
  const after = await Promise.all(pids.map(cpuMicroseconds))
  return after.map((used, index) => used - (before[index] ?? 0))
}

/** `/proc/<pid>/stat` counts in ticks of 10 ms; `schedstat` has the same sum unrounded. */
async function fromScheduler(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`)
  const times = await Promise.all(
    threads.map(async (thread) => {
      const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
      return Number(text.split(' ', 1)[0])
    }),
  )
  return times.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1000
}

async function fromPs(pid: number): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'time=', '-p', String(pid)])
  return parsePsTime(stdout) * 1e6
}

/** Parses `[[hours:]minutes:]seconds` of `ps -o time`; returns seconds. */
export function parsePsTime(text: string): number {
  return text
    .trim()
    .split(':')
    .reduce((sum, part) => sum * 60 + Number(part), 0)
}

/** Parses the output of the shell's `times`; returns the CPU of its children, user and system, in seconds. */
export function parseTimes(text: string): number {
  const [, children = ''] = text.trim().split('\n')
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)]
  if (parts.length !== 2) {
    throw new Error(`the shell's times are unreadable: ${text}`)
  }
  return parts.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  )
}
