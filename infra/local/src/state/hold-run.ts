import { rmSync } from 'node:fs'
import { createServer, connect as dial } from 'node:net'
import { LocalError } from '../errors.js'
import { socketPath } from './socket-path.js'

/**
 * Claims the state directory `dir` for this run, by listening on a unix socket. Unlike a file with a process
 * id, the socket ends with the process. Returns `release`.
 *
 * @throws LocalError `already_running` when a run holds it.
 */
export async function holdRun(dir: string): Promise<() => Promise<void>> {
  const path = socketPath(dir, 'run.sock')
  const holder = await holderOf(path)
  if (holder !== undefined) {
    throw alreadyRunning(dir, holder)
  }
  rmSync(path, { force: true })
  const server = createServer((socket) => socket.end(`${process.pid}`))
  await new Promise<void>((resolve, reject) => {
    server.once('error', () => reject(alreadyRunning(dir, '')))
    server.listen(path, resolve)
  })
  server.unref()
  return () => new Promise((resolve) => server.close(() => resolve()))
}

/** Returns the process id of the run that listens on the socket, or undefined. */
function holderOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let pid = ''
    const socket = dial(path)
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      pid += text
    })
    socket.once('error', () => resolve(undefined))
    socket.once('end', () => resolve(pid))
  })
}

function alreadyRunning(dir: string, pid: string): LocalError {
  const who = /^\d+$/.test(pid) ? ` (process ${pid})` : ''
  return new LocalError(
    'already_running',
    `Portcullis runs here already${who}, with its state in ${dir}; stop it with Ctrl-C first`,
  )
}
