const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Under `npm` one Ctrl-C arrives twice: from the terminal and from npm. A second signal counts as a second
 * Ctrl-C only after this time, in milliseconds.
 */
const echoMs = 1000

export interface StopSignals {
  /** Resolves with the name of the first signal. */
  readonly first: Promise<string>
  /** Restores the default effect of the signals. */
  release(): void
}

/** Listens for the signals that stop a run. Calls `onSecond` for a second Ctrl-C. */
export function stopSignals(onSecond: () => void): StopSignals {
  let since: number | undefined
  let settle: (signal: string) => void = () => undefined
  const first = new Promise<string>((resolve) => {
    settle = resolve
  })
  const listener = (signal: NodeJS.Signals) => {
    if (since === undefined) {
      since = Date.now()
      settle(signal)
    } else if (Date.now() - since > echoMs) {
      onSecond()
    }
  }
  // Writing to a closed terminal fails; that must not interrupt the stop.
  const ignore = () => undefined
  process.stdout.on('error', ignore)
  for (const name of names) {
    process.on(name, listener)
  }
  return {
    first,
    release() {
      for (const name of names) {
        process.removeListener(name, listener)
      }
      process.stdout.removeListener('error', ignore)
    },
  }
}
