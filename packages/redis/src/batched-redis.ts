import { Redis } from 'ioredis'
import type { ReplySampler } from './reply-sampler.js'

/**
 * A connection that sends the commands of one turn of the event loop together: one system call instead
 * of one for each. They keep their order.
 */
export class BatchedRedis extends Redis {
  /** Measures the first command of some turns. */
  sampler: ReplySampler | undefined
  /** The stream that keeps the commands of this turn. */
  #holding: Redis['stream'] | undefined

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    if (this.status === 'ready' && this.#holding !== this.stream) {
      this.#hold(this.stream)
      this.sampler?.sent(args[0])
    }
    return super.sendCommand(...args)
  }

  #hold(stream: Redis['stream']): void {
    this.#holding = stream
    stream.cork()
    setImmediate(() => {
      if (this.#holding === stream) {
        this.#holding = undefined
      }
      stream.uncork()
    })
  }
}
