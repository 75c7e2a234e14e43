import type { Server, Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { reset } from '@portcullis/gate'
import type { FastifyInstance } from 'fastify'
import type { Lobby } from '../connection/lobby.js'
import { drain } from '../hub/drain.js'
import type { Hub } from '../hub/hub.js'

export interface CloseSocketsOptions {
  hub: Hub
  lobby: Lobby | undefined
  /** All connections of the server. */
  connections: Iterable<Socket>
  deadlineMs: number
}

/** Returns the set of the server's connections, kept up to date. */
export function trackConnections(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>()
  function gone(this: Socket) {
    connections.delete(this)
  }
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', gone)
  })
  return connections
}

/**
 * Ends all client connections before the server closes: with a code, spread over time, and within
 * the deadline whatever the clients do. Nobody comes in any more; who is still here is served until
 * its turn.
 */
export async function closeSockets(
  app: FastifyInstance,
  { hub, lobby, connections, deadlineMs }: CloseSocketsOptions,
): Promise<void> {
  const { clients } = app.websocketServer
  const deadline = new Promise<void>((resolve) => {
    // Nothing that somebody does, or leaves undone, holds the server longer: a socket that reads
    // nothing, an upgrade that auth does not answer, half a request.
    const cut = setTimeout(() => {
      for (const socket of connections) {
        reset(socket)
      }
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
      if (client.readyState === client.OPEN) {
        client.close(1001)
      }
      await new Promise((resolve) => client.once('close', resolve))
    }
  }
  await Promise.race([gone(), deadline])
}
