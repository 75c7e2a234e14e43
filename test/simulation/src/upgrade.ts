import { EventEmitter } from 'node:events'
import type { ClientSocket } from './client-socket.js'
import type { Door } from './production.js'

/** What the gate sees of Fastify: a context with a WebSocket server, a request and a reply. */
type Hook = ReturnType<Door['admit']>
type Context = ThisParameterType<Hook>
type Request = Parameters<Hook>[0]
type Reply = Parameters<Hook>[1]

/** The node's WebSocket server. */
export class SimulatedServer extends EventEmitter {
  readonly options = {}
}

class SimulatedReply {
  status = 0
  readonly raw = Object.assign(new EventEmitter(), { headersSent: false })

  code(status: number): this {
    this.status = status
    return this
  }

  header(): this {
    return this
  }

  type(): this {
    return this
  }

  send(): this {
    return this
  }
}

export interface Upgrade {
  /** 101, or the status of the refusal. */
  status: number
  request: Request
}

/**
 * Takes an upgrade through the gate's hook, as Fastify does it, up to the moment at which the
 * WebSocket could be made.
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
