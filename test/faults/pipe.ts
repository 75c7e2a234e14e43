import type { Socket } from 'node:net'

/** One direction of a proxied connection: passes bytes on at once, later, or not until let go. */
export class Pipe {
  readonly #from: Socket
  readonly #to: Socket
  #delayMs = 0
  /** What waits for its time, in order; the times never fall. */
  readonly #late: { at: number; chunk: Buffer }[] = []
  #timer: NodeJS.Timeout | undefined

  /** Either socket's end is the other's. */
  constructor(from: Socket, to: Socket) {
    this.#from = from
    this.#to = to
    from.on('data', (chunk) => this.#pass(chunk))
    from.on('error', () => undefined)
    from.on('close', () => this.end())
  }

  /** `held`: what comes stays where it is, in the kernel's buffers and then at its sender. */
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

  #pass(chunk: Buffer): void {
    if (this.#delayMs === 0 && this.#late.length === 0) {
      this.#to.write(chunk)
      return
    }
    const last = this.#late.at(-1)?.at ?? 0
    this.#late.push({ at: Math.max(last, performance.now() + this.#delayMs), chunk })
    if (this.#late.length === 1) {
      this.#wait()
    }
  }

  #wait(): void {
    const [next] = this.#late
    if (next === undefined || this.#to.destroyed) {
      return
    }
    this.#timer = setTimeout(
      () => {
        this.#late.shift()
        this.#to.write(next.chunk)
        this.#wait()
      },
      Math.max(0, next.at - performance.now()),
    )
  }
}
