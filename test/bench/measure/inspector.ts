import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { WebSocket } from 'ws'

const run = promisify(execFile)

/** Memory of a process after a full garbage collection, in bytes. */
export interface Memory {
  rss: number
  /** Live JavaScript objects and their memory outside the heap (buffers). */
  heap: number
}

/** Option of Node that opens the inspector; `inspectorUrl` reads its address from standard error. */
export const inspectorOption = '--inspect=127.0.0.1:0'

/** Finds the inspector's address in the output of a process. */
export function inspectorUrl(output: string): string {
  const url = /Debugger listening on (ws:\/\/\S+)/.exec(output)?.[1]
  if (url === undefined) {
    throw new Error('the process did not open its inspector')
  }
  return url
}

/** Makes a process collect garbage, through its inspector, and returns the memory it then uses. */
export async function memoryAfterGc(url: string): Promise<Memory> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await once(socket, 'open')
  try {
    // Twice: the second collection frees what the first one finalized.
    await command(socket, 1, 'HeapProfiler.collectGarbage', {})
    await command(socket, 2, 'HeapProfiler.collectGarbage', {})
    const answer = await command(socket, 3, 'Runtime.evaluate', {
      expression: 'JSON.stringify(process.memoryUsage())',
      returnByValue: true,
    })
    return memoryOf(answer)
  } finally {
    socket.terminate()
  }
}

/** Samples a process's allocations, one for each so many bytes on average. */
const samplingInterval = 8192

/** Returns about how many bytes of JavaScript objects a process allocated while `work` ran. */
export async function allocatedWhile(url: string, work: () => Promise<void>): Promise<number> {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 2 ** 28 })
  await once(socket, 'open')
  try {
    await command(socket, 1, 'HeapProfiler.startSampling', {
      samplingInterval,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    })
    await work()
    return sampledBytes(await command(socket, 2, 'HeapProfiler.stopSampling', {}))
  } finally {
    socket.terminate()
  }
}

/** Sums the samples of the inspector's answer to `stopSampling`. */
export function sampledBytes(answer: string): number {
  const { result } = JSON.parse(answer) as {
    result?: { profile?: { samples?: readonly { size: number }[] } }
  }
  const samples = result?.profile?.samples
  if (samples === undefined) {
    throw new Error('the inspected process did not report its allocations')
  }
  return samples.reduce((sum, { size }) => sum + size, 0)
}

/** Returns the resident memory of a process in bytes, without any garbage collection. */
export async function residentBytes(pid: number): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number(stdout.trim()) * 1024
}

function command(socket: WebSocket, id: number, method: string, params: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error(`the inspected process ended at ${method}`))
    const onMessage = (data: Buffer) => {
      const text = data.toString()
      // Events may arrive before the answer.
      if (!text.startsWith(`{"id":${id},`)) {
        return
      }
      socket.off('message', onMessage)
      socket.off('close', onClose)
      resolve(text)
    }
    socket.on('message', onMessage)
    socket.once('close', onClose)
    socket.send(JSON.stringify({ id, method, params }))
  })
}

/** Reads the inspector's answer to `process.memoryUsage()`. */
export function memoryOf(answer: string): Memory {
  const { result } = JSON.parse(answer) as { result?: { result?: { value?: string } } }
  const usage = JSON.parse(result?.result?.value ?? '{}') as Partial<NodeJS.MemoryUsage>
  const { rss, heapUsed, external } = usage
  if (rss === undefined || heapUsed === undefined || external === undefined) {
    throw new Error('the inspected process did not report its memory')
  }
  return { rss, heap: heapUsed + external }
}
