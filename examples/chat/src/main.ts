import { startChat } from './start-chat.js'

// `npm run chat`: starts everything, prints the address, and stops on Ctrl-C.

const stops: (() => unknown)[] = []

async function stop(): Promise<void> {
  for (let next = stops.pop(); next !== undefined; next = stops.pop()) {
    await next()
  }
}

const print = (text: string) => process.stdout.write(`${text}\n`)

/** Resolves to the exit code when everything that it started has stopped. */
export async function main(): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, resolve)
    }
  })
  try {
    print('  … starting Redis, auth, two realtime nodes and the chat')
    const { url } = await startChat({ teardown: (stop) => stops.push(stop) }, { port: 5000 })
    print(`\n  open ${url} in two windows, sign in as two users, and cut one off\n  Ctrl-C stops`)
    await stopped
    return 0
  } catch (error) {
    print(`cannot start the chat: ${error instanceof Error ? error.message : error}`)
    return 1
  } finally {
    await stop()
  }
}
