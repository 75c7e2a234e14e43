import type { Server, Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { reset } from '@portcullis/gate'
import type { FastifyInstance } from 'fastify'
import type { Lobby } from '../connection/lobby.js'
import { drain } from '../hub/drain.js'
import type { Hub } from '../hub/hub.js'

export interface CloseSocketsOptions {
  hub: Hub
  lobby: Lobby
  /** All connections of the server. */
  connections: Iterable<Socket>
  deadlineMs: number
}

/** Returns the set of the server's open connections, kept up to date. */
export function trackConnections(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>()
  function remove(this: Socket) {
    connections.delete(this)
  }
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections.add(socket)
    // `once` would keep a wrapper for each socket.
    socket.on('close', remove)
  })
  return connections
}

/**
 * Closes all client connections before the server closes: with a close code, spread over time, and
 * within the deadline whatever the clients do. The server accepts no new connections by then; open
 * connections are served until their turn.
 */
export async function closeSockets(
  app: FastifyInstance,
  { hub, lobby, connections, deadlineMs }: CloseSocketsOptions,
): Promise<void> {
  const { clients } = app.websocketServer
  const deadline = new Promise<void>((resolve) => {
    // Nothing holds the server longer: not a client that does not read, an upgrade that auth does
    // not answer, or half a request.
    const resetAll = setTimeout(() => {
      for (const socket of connections) {
        reset(socket)
      }
      resolve()
    }, deadlineMs * 0.9)
    resetAll.unref()
    app.server.once('close', () => clearTimeout(resetAll))
  })
  lobby.close()
  const closeAll = async () => {
    await drain(hub, { overMs: deadlineMs / 2 })
    // A socket stays in `clients` until it has closed.
    for (const client of clients) {
      if (client.readyState === client.OPEN) {
        client.close(1001)
      }
      await new Promise((resolve) => client.once('close', resolve))
    }
  }
  await Promise.race([closeAll(), deadline])
}
