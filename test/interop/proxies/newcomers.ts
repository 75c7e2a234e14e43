import { setTimeout } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { ReverseProxy } from './start-proxy.js'

/** Clients that connect one after the other, each once, for as long as a test wants. */
export class Newcomers {
  /** How many attempts were admitted. */
  admitted = 0
  /** What happened to every other attempt. */
  readonly failures: string[] = []
  #stopped = false
  readonly #running: Promise<void>

  constructor(proxy: ReverseProxy, token: string) {
    this.#running = this.#run(proxy, token)
  }

  /** Resolves when the last attempt has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run({ wsUrl, ca }: ReverseProxy, token: string): Promise<void> {
    while (!this.#stopped) {
      const socket = new WebSocket(wsUrl, { ca, headers: { authorization: `Bearer ${token}` } })
      await new Promise<void>((resolve) => {
        socket.once('open', () => {
          this.admitted += 1
          socket.terminate()
          resolve()
        })
        socket.once('error', (error) => {
          this.failures.push(error.message)
          resolve()
        })
      })
      await setTimeout(10)
    }
  }
}
