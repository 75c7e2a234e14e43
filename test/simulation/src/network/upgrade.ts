import { EventEmitter } from 'node:events'
import type { Door } from '../production.js'
import type { ClientSocket } from './client-socket.js'
import { type Reply, type Request, SimulatedReply } from './http.js'

/** Fastify's types, as the gate uses them. */
type Hook = ReturnType<Door['admit']>
type Context = ThisParameterType<Hook>

/** The node's WebSocket server. */
export class SimulatedServer extends EventEmitter {
  readonly options = {}
}

export interface Upgrade {
  /** 101, or the status of the refusal. */
  status: number
  request: Request
}

/**
 * Passes an upgrade through the gate's hook, as Fastify does, up to the moment before the WebSocket is
 * created.
 */
export async function admitUpgrade(
  door: Door,
  server: SimulatedServer,
  socket: ClientSocket,
  token: string,
): Promise<Upgrade> {
  const raw = {
    headers: { upgrade: 'websocket', authorization: `Bearer ${token}` },
    rawHeaders: ['Upgrade', 'websocket', 'Authorization', `Bearer ${token}`],
    upgrade: true,
    socket: socket.raw,
  }
  const request = { raw, query: {}, headers: raw.headers } as unknown as Request
  const reply = new SimulatedReply()
  const hook = door.admit()
  const context = { websocketServer: server } as unknown as Context
  const answered = await Reflect.apply(hook, context, [request, reply as unknown as Reply])
  return { status: answered === undefined ? 101 : reply.status, request }
}
