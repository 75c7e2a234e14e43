import { defined } from '@portcullis/contracts/defined'
import {
  type Commands,
  close,
  connectCommands,
  followMasters,
  type Masters,
} from '@portcullis/redis'

export interface OpenConnections {
  url: string
  /** Called when a connection is lost or cannot be made; once while the message stays the same. */
  onError(error: Error): void
  /** Called with the milliseconds that a command took, for some commands. */
  onReply?: (ms: number) => void
}

export interface Connections {
  commands: Commands
  /** For features that need their own connection. */
  masters: Masters
  close(): Promise<void>
}

/**
 * Connects to the registry's Redis.
 *
 * @throws Error that says why Redis cannot be reached
 */
export async function openConnections({
  url,
  onError,
  onReply,
}: OpenConnections): Promise<Connections> {
  let last: Error | undefined
  const options = {
    url,
    name: 'portcullis-auth',
    onError(error: Error) {
      // Each reconnect repeats the error; report it only when it changes.
      if (error.message !== last?.message) {
        onError(error)
      }
      last = error
    },
  }
  const commands = connectCommands({
    ...options,
    name: 'portcullis-auth-commands',
    ...defined({ onReply }),
  })
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
