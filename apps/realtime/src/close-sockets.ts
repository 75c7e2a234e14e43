import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Lobby } from './connection/lobby.js'
import { drain } from './hub/drain.js'
import type { Hub } from './hub/hub.js'

export interface CloseSocketsOptions {
  hub: Hub
  lobby: Lobby | undefined
  /** The sockets of upgrades that are not decided yet. */
  upgrading: Iterable<Socket>
  deadlineMs: number
}

/**
 * Ends all client connections before the server closes: with a code, spread over time, and within
 * the deadline whatever the clients do. Nobody comes in any more; who is still here is served until
 * its turn.
 */
export async function closeSockets(
  app: FastifyInstance,
  { hub, lobby, upgrading, deadlineMs }: CloseSocketsOptions,
): Promise<void> {
  const { clients } = app.websocketServer
  const deadline = new Promise<void>((resolve) => {
    // Nothing that somebody does, or leaves undone, holds the server longer: a socket that reads
    // nothing, an upgrade that auth does not answer, half a request.
    const cut = setTimeout(() => {
      for (const client of clients) client.terminate()
      for (const socket of upgrading) socket.destroy()
      app.server.closeAllConnections()
      resolve()
    }, deadlineMs * 0.9)
    cut.unref()
    app.server.once('close', () => clearTimeout(cut))
  })
  lobby?.close()
  // One reader at a time: a socket that is closing leaves `clients` when it is gone.
  const gone = async () => {
    await drain(hub, { overMs: deadlineMs / 2 })
    for (const client of clients) {
      if (client.readyState === client.OPEN) client.close(1001)
      await new Promise((resolve) => client.once('close', resolve))
    }
  }
  await Promise.race([gone(), deadline])
}
