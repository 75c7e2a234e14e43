import type { FeedSocket } from './dial.js'

interface LivenessOptions {
  socket: Pick<FeedSocket, 'ping'>
  /** From the upgrade to the welcome, in milliseconds. */
  welcomeMs: number
  /** Between pings, in milliseconds. */
  pingMs: number
  onDead: (problem: string) => void
}

/** Detects an auth that sends no welcome, or that has gone silent since the last ping. */
export class Liveness {
  readonly #options: LivenessOptions
  #timer: NodeJS.Timeout | undefined
  #alive = true
  #welcomed = false

  constructor(options: LivenessOptions) {
    this.#options = options
  }

  get welcomed(): boolean {
    return this.#welcomed
  }

  /** Waits for the welcome. */
  opened(): void {
    const { welcomeMs, onDead } = this.#options
    this.#timer = setTimeout(() => onDead('auth does not say welcome'), welcomeMs)
  }

  /** Starts the pings; later calls do nothing. */
  startPings(): void {
    if (this.#timer === undefined || this.#welcomed) {
      return
    }
    this.#welcomed = true
    clearTimeout(this.#timer)
    const { socket, pingMs, onDead } = this.#options
    this.#timer = setInterval(() => {
      if (!this.#alive) {
        onDead('auth does not answer pings')
        return
      }
      this.#alive = false
      socket.ping()
    }, pingMs)
  }

  /** Notes that auth has sent something. */
  heard(): void {
    this.#alive = true
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
