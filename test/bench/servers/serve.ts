import type { AddressInfo, Server } from 'node:net'
import { answer } from '../child.js'

/** The answer of a baseline server to any message. */
export interface Served {
  port: number
}

/** Listens on a free port of the loopback address and reports it to the parent. */
export function serve(server: Server): void {
  const listening = new Promise<Served>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      resolve({ port })
    })
  })
  answer(() => listening)
}
