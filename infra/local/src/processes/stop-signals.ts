const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * One Ctrl-C arrives twice under `npm`, which passes on the signal that the terminal has sent to
 * everybody anyway. Only a later one, in milliseconds, is a second Ctrl-C.
 */
const echoMs = 1000

export interface StopSignals {
  /** Settles with the first signal to stop. */
  readonly first: Promise<string>
  /** From now on signals have their usual effect. */
  release(): void
}

/** Listens for the signals that stop a run; `onSecond` is for people who will not wait. */
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
  // A terminal that is gone takes no output; that must not stop the stopping.
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
