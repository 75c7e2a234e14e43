/** An error of a command, with a code of the protocol: 103 not permitted, 108 not available. */
export interface CommandError {
  code: number
  message: string
}

/** What a hook shows of a channel. */
export interface View<Value> {
  readonly value: Value
  /** True until the first load has ended, and during each later one. */
  readonly isLoading: boolean
  /** The error of the last load. The value is that of an earlier load, with the changes since. */
  readonly error?: CommandError
}

export interface ViewSource<Value, Change> {
  load(): Promise<Value>
  apply(value: Value, change: Change): Value
  onView(view: View<Value>): void
}

/**
 * A value that is loaded from the server and then follows changes. Changes that arrive during a load are
 * applied to what was loaded: the server may have read the value before they happened.
 */
export class ChannelView<Value, Change> {
  readonly #source: ViewSource<Value, Change>
  #view: View<Value>
  /** The changes since the load in progress began. */
  #during: Change[] | undefined
  #isLoaded = false

  constructor(empty: Value, source: ViewSource<Value, Change>) {
    this.#view = { value: empty, isLoading: true }
    this.#source = source
  }

  /** Loads the value, unless it is loaded and `isComplete`: no change was missed since. */
  subscribed(isComplete: boolean): void {
    if (!isComplete || !this.#isLoaded) {
      void this.load()
    }
  }

  /** Loads the value anew. A load in progress is dropped. */
  async load(): Promise<void> {
    const during: Change[] = []
    this.#during = during
    this.#isLoaded = false
    this.#show({ ...this.#view, isLoading: true })
    const { value, error } = await this.#source.load().then(
      (value) => ({ value, error: undefined }),
      (error: unknown) => ({ value: this.#view.value, error: commandError(error) }),
    )
    if (this.#during !== during) {
      return
    }
    this.#during = undefined
    this.#isLoaded = error === undefined
    this.#show({
      value: during.reduce(this.#source.apply, value),
      isLoading: false,
      ...(error === undefined ? {} : { error }),
    })
  }

  change(change: Change): void {
    if (this.#during !== undefined) {
      this.#during.push(change)
    } else {
      this.#show({ ...this.#view, value: this.#source.apply(this.#view.value, change) })
    }
  }

  /** Drops a load in progress. */
  close(): void {
    this.#during = undefined
  }

  #show(view: View<Value>): void {
    this.#view = view
    this.#source.onView(view)
  }
}

function commandError(error: unknown): CommandError {
  const { code, message }: Partial<CommandError> = Object(error)
  return { code: Number(code ?? 0), message: String(message ?? error) }
}
