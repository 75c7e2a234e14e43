import type { Socket } from 'node:net'

/** One direction of a proxied connection: forwards bytes at once, delayed, or not while held. */
export class Pipe {
  readonly #from: Socket
  readonly #to: Socket
  #delayMs = 0
  /** Delayed chunks, in order of their due times. */
  readonly #delayed: { at: number; chunk: Buffer }[] = []
  #timer: NodeJS.Timeout | undefined

  /** When one socket ends, the other is ended too. */
  constructor(from: Socket, to: Socket) {
    this.#from = from
    this.#to = to
    from.on('data', (chunk) => this.#forward(chunk))
    from.on('error', () => undefined)
    from.on('close', () => this.end())
  }

  /** `held`: bytes stay in the kernel's buffers, and then at the sender. */
  set({ held, delayMs }: { held: boolean; delayMs: number }): void {
    this.#delayMs = delayMs
    if (held) {
      this.#from.pause()
    } else {
      this.#from.resume()
    }
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#from.destroy()
    this.#to.destroy()
  }

  #forward(chunk: Buffer): void {
    if (this.#delayMs === 0 && this.#delayed.length === 0) {
      this.#to.write(chunk)
      return
    }
    const last = this.#delayed.at(-1)?.at ?? 0
    this.#delayed.push({ at: Math.max(last, performance.now() + this.#delayMs), chunk })
    if (this.#delayed.length === 1) {
      this.#schedule()
    }
  }

  #schedule(): void {
    const [next] = this.#delayed
    if (next === undefined || this.#to.destroyed) {
      return
    }
    this.#timer = setTimeout(
      () => {
        this.#delayed.shift()
        this.#to.write(next.chunk)
        this.#schedule()
      },
      Math.max(0, next.at - performance.now()),
    )
  }
}
