import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { brokenFile, type FileResult } from './counts.js'
import type { HostReply, HostRequest } from './messages.js'

/** A process that runs test files of one workspace, one at a time. */
export interface Host {
  readonly workspace: string
  /** Resolves with the file's result, whatever happens to the process. */
  run(request: HostRequest): Promise<FileResult & { reusable: boolean }>
  /**
   * Waits until the process has ended by itself. Resolves to false if something that a test left open
   * keeps it alive; then the process is killed.
   */
  end(timeoutMs: number): Promise<boolean>
  kill(): void
}

const program = fileURLToPath(new URL('./host.js', import.meta.url))

/** tap ends a file that takes too long. This is for a process that does not get around to that. */
const hangMs = 20 * 60_000

/** Clients and servers may keep a timer or a connection for half a minute after they are closed. */
const maxEndMs = 45_000

/** How much of what a process has written is shown of a file that did not come to an end. */
const maxLines = 40

/** Starts a host in the folder of the workspace. */
export function startHost(workspace: string, folder: string, env: NodeJS.ProcessEnv): Host {
  const child = spawn(process.execPath, ['--enable-source-maps', program], {
    cwd: folder,
    // The process outlives many files; each has a timeout of its own.
    env: { ...env, TAP_TIMEOUT: '0' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  return {
    workspace,
    async run(request) {
      output = ''
      const started = performance.now()
      const reply = await answer(child, request, ended)
      const ms = Math.round(performance.now() - started)
      if (typeof reply !== 'string') {
        return { file: request.file, ms, ...reply }
      }
      const lines = output.trimEnd().split('\n').slice(-maxLines)
      const result = brokenFile(request.file, ms, `the process ended early: ${reply}`, lines)
      return { ...result, reusable: false }
    },
    async end(timeoutMs) {
      if (child.connected) {
        child.send('end')
      }
      const timer = setTimeout(() => child.kill('SIGKILL'), Math.min(timeoutMs, maxEndMs))
      const how = await ended
      clearTimeout(timer)
      return how === 'exit code 0'
    },
    kill: () => child.kill('SIGKILL'),
  }
}

/** Resolves with the reply, or in words with how the process has ended without one. */
async function answer(
  child: ChildProcess,
  request: HostRequest,
  ended: Promise<string>,
): Promise<HostReply | string> {
  const reply = new Promise<HostReply>((resolve) => {
    child.on('message', (message: object) => {
      // tap may send messages of its own.
      if ('reusable' in message) {
        resolve(message as HostReply)
      }
    })
  })
  if (child.connected) {
    child.send(request)
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), hangMs)
  const result = await Promise.race([reply, ended])
  clearTimeout(timer)
  child.removeAllListeners('message')
  return result
}
