import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from './checkout.js'
import type { TaskResult } from './test-results.js'

export interface TurboRun {
  /** Settles with what each task came to; turbo's own exit code says less. */
  readonly tasks: Promise<TaskResult[]>
  /** SIGTERM to turbo, which stops its tasks. */
  stop(): void
}

/**
 * Runs tasks of turbo.json, at most `maxTasks` at once. Shows the output of a task that fails when
 * the task ends.
 */
export function turboRun(
  tasks: readonly string[],
  maxTasks: number,
  env: NodeJS.ProcessEnv,
): TurboRun {
  const summaries = join(checkout, '.turbo', 'runs')
  rmSync(summaries, { recursive: true, force: true })
  const child = spawn(
    join(checkout, 'node_modules', '.bin', 'turbo'),
    [
      ...['run', ...tasks, '--summarize', '--continue=always', '--env-mode=loose'],
      ...['--output-logs=errors-only', '--log-order=grouped', `--concurrency=${maxTasks}`],
    ],
    { cwd: checkout, env, stdio: ['ignore', 'inherit', 'inherit'] },
  )
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  return {
    tasks: ended.then(() => readSummary(summaries, tasks)),
    stop: () => child.kill('SIGTERM'),
  }
}

interface Summary {
  tasks: {
    taskId: string
    task: string
    directory: string
    execution?: { exitCode: number | null } | null
  }[]
}

function readSummary(dir: string, asked: readonly string[]): TaskResult[] {
  const [file] = list(dir)
  if (file === undefined) {
    // turbo did not get as far as its tasks: none of them has run.
    return asked.map((task) => ({ id: task, task, dir: checkout, exitCode: undefined }))
  }
  const { tasks } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as Summary
  return tasks.map(({ taskId, task, directory, execution }) => ({
    id: taskId,
    task,
    dir: join(checkout, directory),
    exitCode: execution?.exitCode ?? undefined,
  }))
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
