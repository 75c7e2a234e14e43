import {
  type Commands,
  close,
  connectCommands,
  followMasters,
  type Masters,
} from '@portcullis/redis'

export interface OpenConnections {
  url: string
  /** Hears why a connection is lost or not made; of repetitions the first alone. */
  onError(error: Error): void
}

export interface Connections {
  commands: Commands
  /** For what needs a connection of its own. */
  masters: Masters
  close(): Promise<void>
}

/** Connects to the registry's Redis. @throws Error when it cannot be reached, saying why */
export async function openConnections({ url, onError }: OpenConnections): Promise<Connections> {
  let last: Error | undefined
  const options = {
    url,
    name: 'portcullis-auth',
    onError(error: Error) {
      // Reconnecting repeats itself; only a new reason is news.
      if (error.message !== last?.message) {
        onError(error)
      }
      last = error
    },
  }
  const commands = connectCommands({ ...options, name: 'portcullis-auth-commands' })
  commands.on('ready', () => {
    last = undefined
  })
  try {
    await commands.connect()
  } catch (error) {
    await close(commands)
    const { message } = last ?? (error as Error)
    throw new Error(`Redis cannot be reached: ${message}; check REDIS_URL`)
  }
  const masters = followMasters(commands, options)
  return {
    commands,
    masters,
    async close() {
      masters.close()
      await close(commands)
    },
  }
}
