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

/** A program of the benchmark in a process of its own. */
export interface Child<Asked, Answered> {
  pid: number
  ask(body: Asked): Promise<Answered>
  /** What it wrote to standard error so far. */
  output(): string
  stop(): Promise<void>
}

/**
 * Starts `program`, which calls `answer`, as a process of its own. Both are of the same build, so
 * the shapes of their messages are a matter of types alone.
 */
export async function startChild<Asked, Answered>(
  stage: Stage,
  program: URL,
  { args = [], execArgv = [] }: { args?: readonly string[]; execArgv?: readonly string[] } = {},
): Promise<Child<Asked, Answered>> {
  const child = fork(program, args, {
    execArgv: [...execArgv],
    // Under tap it has hooks for the module loader.
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let output = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-65_536)
  })
  const waiting = new Map<number, { resolve(body: Answered): void; reject(error: Error): void }>()
  child.on('message', ({ id, body, error }: Reply) => {
    const asker = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) {
      asker?.resolve(body as Answered)
    } else {
      asker?.reject(new Error(error))
    }
  })
  const gone = once(child, 'close').then(() => {
    for (const asker of waiting.values()) {
      asker.reject(new Error(`${program.pathname.split('/').at(-1)} ended early: ${output}`))
    }
    waiting.clear()
  })
  let lastId = 0
  const started: Child<Asked, Answered> = {
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
  // It has nothing to save, and a process in the middle of 10,000 sockets may be slow to listen.
  child.kill('SIGKILL')
  await gone
}

/**
 * The other side: answers each request of the parent with what `handle` gives. The program ends
 * with its parent, however that one ends.
 */
export function answer<Asked, Answered>(handle: (body: Asked) => Promise<Answered>): void {
  process.on('disconnect', () => process.exit())
  process.on('message', ({ id, body }: Request) => {
    handle(body as Asked).then(
      (answered) => process.send?.({ id, body: answered } satisfies Reply),
      (error: unknown) =>
        process.send?.({
          id,
          error: error instanceof Error ? error.message : String(error),
        } satisfies Reply),
    )
  })
}
