import type { Hub } from './hub.js'

export interface StreamWatchOptions {
  hub: Hub
  /**
   * Runs first; finds losses in streams without subscribers on this node. Rejects when Redis is
   * away.
   */
  audit: () => Promise<void>
  /** Interval of checks of all streams, in milliseconds. */
  everyMs: number
  /** Pause before the streams that could not be checked are checked again, in milliseconds. */
  retryMs: number
}

/** Checks a node's streams against their histories, periodically and on request. */
export class StreamWatch {
  readonly #options: StreamWatchOptions
  readonly #timer: NodeJS.Timeout
  #retry: NodeJS.Timeout | undefined
  /** `again`: a check is running and another was requested meanwhile. */
  #checking: 'no' | 'yes' | 'again' = 'no'
  #stopped = false

  constructor(options: StreamWatchOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.check(), options.everyMs)
  }

  /** Checks all streams; repeats for those that cannot be checked now. */
  check(): void {
    clearTimeout(this.#retry)
    if (this.#checking === 'no') {
      void this.#check()
    } else {
      this.#checking = 'again'
    }
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    clearTimeout(this.#retry)
  }

  async #check(names?: readonly string[]): Promise<void> {
    const { hub, audit, retryMs } = this.#options
    this.#checking = 'yes'
    const audited = await audit().then(
      () => true,
      () => false,
    )
    const unknown = await hub.verify(names)
    const again = this.#checking !== 'yes'
    this.#checking = 'no'
    if (this.#stopped) {
      return
    }
    if (again) {
      void this.#check()
    } else if (!audited || unknown.length > 0) {
      this.#retry = setTimeout(() => void this.#check(unknown), retryMs)
    }
  }
}
