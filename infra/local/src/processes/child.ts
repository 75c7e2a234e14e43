import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { LocalError } from '../errors.js'
import { guardProcess } from './guard.js'

export interface ChildOptions {
  /** Shown in messages: `auth`, `realtime-8000`, `redis`. */
  name: string
  command: string
  args: readonly string[]
  /** The complete environment. The child inherits no other variable. */
  env: NodeJS.ProcessEnv
  /** Receives standard output and error. Emptied first; mode 0600. */
  logFile: string
}

export interface Child {
  readonly name: string
  readonly pid: number
  readonly logFile: string
  /** Resolves when the process has ended, with its exit code or signal in words. Never rejects. */
  readonly ended: Promise<string>
  hasEnded(): boolean
  /** Returns the content of the log file. */
  output(): string
  /** Sends SIGTERM, and SIGKILL after `deadlineMs` (default 8000). Resolves when the process has ended. */
  stop(deadlineMs?: number): Promise<void>
  /** Sends SIGKILL. Resolves when the process has ended. */
  kill(): Promise<void>
}

/**
 * Starts a process in its own process group, so that a Ctrl-C in the terminal reaches only the runner,
 * which then stops its children in order.
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

/** Returns the last lines of the child's log, each of at most 300 characters. */
export function lastLines(child: Child, count = 12): string[] {
  return child
    .output()
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .slice(-count)
    .map((line) => (line.length > 300 ? `${line.slice(0, 299)}…` : line))
}

/** Returns the error for a child that ended while it was starting. */
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
