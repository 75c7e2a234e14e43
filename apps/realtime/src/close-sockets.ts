import type { FastifyInstance } from 'fastify'
import { drain } from './hub/drain.js'
import type { Hub } from './hub/hub.js'

/**
 * Ends all client connections before the server closes: with a code, spread over time, and within
 * the deadline whatever the clients do. Fastify answers 503 to every request from here on.
 */
export async function closeSockets(
  app: FastifyInstance,
  hub: Hub,
  deadlineMs: number,
): Promise<void> {
  // Fastify's 503 leaves the socket of a refused upgrade open, and the server would wait for it.
  app.server.on('upgrade', (_request, socket) => socket.end(() => socket.destroy()))
  const { clients } = app.websocketServer
  let cut: NodeJS.Timeout | undefined
  const deadline = new Promise<void>((resolve) => {
    cut = setTimeout(resolve, deadlineMs * 0.9)
  })
  // One reader at a time: a socket that is closing leaves `clients` when it is gone.
  const gone = async () => {
    await drain(hub, deadlineMs / 2)
    for (const client of clients) {
      if (client.readyState === client.OPEN) client.close(1001)
      await new Promise((resolve) => client.once('close', resolve))
    }
  }
  await Promise.race([gone(), deadline])
  clearTimeout(cut)
  for (const client of clients) client.terminate()
}
