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
  const endings: Promise<void>[] = []
  const report = (test: PlannedTest, result: FileResult) => {
    if (!stopped) {
      options.onResult(test, result)
    }
  }
  const retire = async (host: Host) => {
    const ended = await host.end(options.timeoutMs)
    hosts.delete(host)
    return ended
  }
  /** Reports the file when its process has ended, which may take a while; the worker goes on. */
  const finish = async (host: Host, test: PlannedTest, result: FileResult) => {
    if (result.failed > 0) {
      host.kill()
    }
    const ended = await retire(host)
    report(test, ended || result.failed > 0 ? result : leftOpen(result))
  }
  const work = async (prefers: 'shared' | 'alone') => {
    let kept: Host | undefined
    for (;;) {
      const test = stopped ? undefined : queue.next(kept?.workspace, prefers)
      if (kept !== undefined && (test === undefined || !canUse(kept, test))) {
        endings.push(retire(kept).then(() => undefined))
        kept = undefined
      }
      if (test === undefined) {
        return
      }
      const { workspace, file, program, shares } = test
      const host = kept ?? startHost(workspace, join(options.root, workspace), options.env)
      hosts.add(host)
      options.onStart(test)
      const { timeoutMs } = options
      const { reusable, ...result } = await host.run({ file, program, timeoutMs })
      kept = reusable && shares ? host : undefined
      if (kept === undefined) {
        endings.push(finish(host, test, result))
      } else {
        report(test, result)
      }
    }
  }
  const workers = Array.from({ length: Math.min(options.jobs, options.tests.length) }, (_, index) =>
    work(index % 2 === 0 ? 'alone' : 'shared'),
  )
  return {
    ended: Promise.all(workers)
      .then(() => Promise.all(endings))
      .then(() => undefined),
    stop() {
      stopped = true
      for (const host of hosts) {
        host.kill()
      }
    },
  }
}

function canUse(host: Host, test: PlannedTest): boolean {
  return host.workspace === test.workspace && test.shares
}

/** A file that has passed, and whose process does not end, has failed. */
function leftOpen(result: FileResult): FileResult {
  const broken = brokenFile(result.file, result.ms, 'its process does not end', [])
  return { ...broken, passed: result.passed }
}
