import type { Hub } from './hub.js'

export interface StreamWatchOptions {
  hub: Hub
  /** Comes first: may find that streams have lost what nobody here follows. Rejects when it cannot look. */
  audit: () => Promise<void>
  /** How often all streams are looked at, in milliseconds. */
  everyMs: number
  /** How long after a look that has left some unknown they are looked at again. */
  retryMs: number
}

/** Has a node's streams compared with their histories, now and then and when the backplane is back. */
export class StreamWatch {
  readonly #options: StreamWatchOptions
  readonly #timer: NodeJS.Timeout
  #retry: NodeJS.Timeout | undefined
  /** A look is under way; `again` when one was asked for meanwhile. */
  #looking: 'no' | 'yes' | 'again' = 'no'
  #stopped = false

  constructor(options: StreamWatchOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.look(), options.everyMs)
  }

  /** Looks at all streams, and at those that cannot be known now until they are. */
  look(): void {
    clearTimeout(this.#retry)
    if (this.#looking === 'no') {
      void this.#look()
    } else {
      this.#looking = 'again'
    }
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    clearTimeout(this.#retry)
  }

  async #look(names?: readonly string[]): Promise<void> {
    const { hub, audit, retryMs } = this.#options
    this.#looking = 'yes'
    const audited = await audit().then(
      () => true,
      () => false,
    )
    const unknown = await hub.verify(names)
    const again = this.#looking !== 'yes'
    this.#looking = 'no'
    if (this.#stopped) {
      return
    }
    if (again) {
      void this.#look()
    } else if (!audited || unknown.length > 0) {
      this.#retry = setTimeout(() => void this.#look(unknown), retryMs)
    }
  }
}
