import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { LocalError } from '../errors.js'
import { guardProcess } from './guard.js'

export interface ChildOptions {
  /** What people call it: `auth`, `realtime-8000`, `redis`. */
  name: string
  command: string
  args: readonly string[]
  /** The whole environment; nothing else is inherited. */
  env: NodeJS.ProcessEnv
  /** Its standard output and error go to this file, mode 0600, which is emptied first. */
  logFile: string
}

export interface Child {
  readonly name: string
  readonly pid: number
  readonly logFile: string
  /** Settles, never rejects, when the process has ended: with how it ended, in words. */
  readonly ended: Promise<string>
  /** Whether it has ended. */
  hasEnded(): boolean
  /** Everything that it has written so far. */
  output(): string
  /** SIGTERM, and SIGKILL after `deadlineMs` (default 8000); settles when it has ended. */
  stop(deadlineMs?: number): Promise<void>
  /** SIGKILL; settles when it has ended. */
  kill(): Promise<void>
}

/**
 * Starts a process of ours, in a process group of its own: a Ctrl-C in the terminal reaches the
 * runner alone, which then stops its children in order.
 *
 * @throws LocalError `process_failed` when the command cannot be run at all.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, command, logFile } = options
  const log = openSync(logFile, 'w', 0o600)
  const child = spawn(command, [...options.args], {
    env: options.env,
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const pid = await spawned(child, name)
  const release = guardProcess(pid)
  let over = false
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      over = true
      release()
      resolve(signal === null ? `exit code ${code}` : signal)
    })
  })
  const kill = async () => {
    if (!over) {
      child.kill('SIGKILL')
    }
    await ended
  }
  return {
    name,
    pid,
    logFile,
    ended,
    kill,
    hasEnded: () => over,
    output: () => readFileSync(logFile, 'utf8'),
    async stop(deadlineMs = 8000) {
      if (over) {
        return
      }
      child.kill('SIGTERM')
      const timer = setTimeout(kill, deadlineMs)
      await ended
      clearTimeout(timer)
    },
  }
}

/** The last lines that a child wrote, each cut to what a terminal shows. */
export function lastLines(child: Child, count = 12): string[] {
  return child
    .output()
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .slice(-count)
    .map((line) => (line.length > 300 ? `${line.slice(0, 299)}…` : line))
}

/** The error for a child that ended while it was starting. */
export function failedChild(child: Child, how: string): LocalError {
  return new LocalError(
    'process_failed',
    `${child.name} stopped while starting (${how}); its log is ${child.logFile}`,
    lastLines(child),
  )
}

function spawned(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(new LocalError('process_failed', `${name} cannot be started: ${error.message}`)),
    )
    child.once('spawn', () => {
      if (child.pid !== undefined) {
        resolve(child.pid)
      }
    })
  })
}
