import { join } from 'node:path'
import { brokenFile, type FileResult } from './counts.js'
import { type Host, startHost } from './host-process.js'
import { type PlannedTest, TestQueue } from './plan-tests.js'

export interface RunFilesOptions {
  /** Absolute path of the folder that the workspaces are in. */
  root: string
  tests: readonly PlannedTest[]
  /** How many files run at once. */
  jobs: number
  env: NodeJS.ProcessEnv
  timeoutMs: number
  onStart: (test: PlannedTest) => void
  onResult: (test: PlannedTest, result: FileResult) => void
}

export interface FileRun {
  /** Resolves when every file has its result, or the run was stopped. */
  readonly ended: Promise<void>
  /** Kills the processes. */
  stop(): void
}

/** Runs test files in a few processes. */
export function runFiles(options: RunFilesOptions): FileRun {
  const queue = new TestQueue(options.tests)
  const hosts = new Set<Host>()
  let stopped = false
  const work = async (prefers: 'shared' | 'alone') => {
    let kept: Host | undefined
    for (;;) {
      const test = stopped ? undefined : queue.next(kept?.workspace, prefers)
      if (test === undefined) {
        break
      }
      if (kept !== undefined && (kept.workspace !== test.workspace || !test.shares)) {
        await retire(kept)
        kept = undefined
      }
      const host =
        kept ?? startHost(test.workspace, join(options.root, test.workspace), options.env)
      hosts.add(host)
      options.onStart(test)
      const { reusable, ...result } = await host.run({
        file: test.file,
        program: test.program,
        timeoutMs: options.timeoutMs,
      })
      kept = reusable && test.shares ? host : undefined
      if (kept === undefined && result.failed > 0) {
        host.kill()
      }
      const ended = kept !== undefined || (await retire(host)) || result.failed > 0
      if (!stopped) {
        options.onResult(test, ended ? result : leftOpen(result))
      }
    }
    if (kept !== undefined) {
      await retire(kept)
    }
  }
  const retire = async (host: Host) => {
    const ended = await host.end()
    hosts.delete(host)
    return ended
  }
  const workers = Array.from({ length: Math.min(options.jobs, options.tests.length) }, (_, index) =>
    work(index % 2 === 0 ? 'alone' : 'shared'),
  )
  return {
    ended: Promise.all(workers).then(() => undefined),
    stop() {
      stopped = true
      for (const host of hosts) {
        host.kill()
      }
    },
  }
}

/** A file that has passed, and whose process does not end, has failed. */
function leftOpen(result: FileResult): FileResult {
  const broken = brokenFile(result.file, result.ms, 'its process does not end', [])
  return { ...broken, passed: result.passed }
}
