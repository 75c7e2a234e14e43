import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Stage } from './stage.js'

/** A request to a child program, and its reply, as they travel between the processes. */
interface Request {
  id: number
  body: unknown
}
interface Reply {
  id: number
  body?: unknown
  error?: string
}

/** A program of the benchmark in a separate process. */
export interface Child<Query, Result> {
  pid: number
  ask(body: Query): Promise<Result>
  /** Returns its standard error so far. */
  output(): string
  stop(): Promise<void>
}

/**
 * Starts `program`, which calls `answer`, as a process. Both come from the same build, so messages are
 * typed but not validated.
 */
export async function startChild<Query, Result>(
  stage: Stage,
  program: URL,
  { args = [], execArgv = [] }: { args?: readonly string[]; execArgv?: readonly string[] } = {},
): Promise<Child<Query, Result>> {
  const child = fork(program, args, {
    execArgv: [...execArgv],
    // tap sets module loader hooks here, which the child must not inherit.
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let output = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-65_536)
  })
  const waiting = new Map<number, { resolve(body: Result): void; reject(error: Error): void }>()
  child.on('message', ({ id, body, error }: Reply) => {
    const pending = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) {
      pending?.resolve(body as Result)
    } else {
      pending?.reject(new Error(error))
    }
  })
  const gone = once(child, 'close').then(() => {
    for (const pending of waiting.values()) {
      pending.reject(new Error(`${program.pathname.split('/').at(-1)} ended early: ${output}`))
    }
    waiting.clear()
  })
  let lastId = 0
  const started: Child<Query, Result> = {
    pid: child.pid ?? 0,
    output: () => output,
    ask: (body) =>
      new Promise((resolve, reject) => {
        lastId += 1
        waiting.set(lastId, { resolve, reject })
        child.send({ id: lastId, body } satisfies Request, (error) => error && reject(error))
      }),
    stop: () => stopProcess(child, gone),
  }
  await stage.add(started.stop)
  return started
}

async function stopProcess(child: ChildProcess, gone: Promise<void>): Promise<void> {
  // SIGKILL: the process has nothing to save, and with 10,000 sockets it may react slowly.
  child.kill('SIGKILL')
  await gone
}

/** Runs in the child: answers each request of the parent with `handle`. The child ends with its parent. */
export function answer<Query, Result>(handle: (body: Query) => Promise<Result>): void {
  process.on('disconnect', () => process.exit())
  process.on('message', ({ id, body }: Request) => {
    handle(body as Query).then(
      (result) => process.send?.({ id, body: result } satisfies Reply),
      (error: unknown) =>
        process.send?.({
          id,
          error: error instanceof Error ? error.message : String(error),
        } satisfies Reply),
    )
  })
}
