import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { bearerSubprotocolPrefix, closeCodes, subprotocol } from '@portcullis/contracts/websocket'
import type { WebSocket, WebSocketServer } from 'ws'
import type { EndReason } from '../grants/grant.js'
import type { Lease } from '../grants/lease.js'
import { resetWebSocket } from './reset.js'

/** How long a peer may take to answer a close, in milliseconds. */
const closeDeadlineMs = 2000

const codes: Readonly<Record<EndReason, { code: number; reason: string }>> = {
  revoked: closeCodes.tokenRevoked,
  /** The client protocol's code: come back with a new token. */
  expired: { code: 3005, reason: 'connection expired' },
}
const goingAway = { code: 1001, reason: 'going away' }

/** Whether the connection is handed over for another protocol once its request is answered. */
export function isUpgrade(raw: IncomingMessage): boolean {
  // Node marks each request; without anyone to take an upgrade it is answered as any other.
  return raw.headers.upgrade !== undefined && Reflect.get(raw, 'upgrade') !== false
}

/** Selects `portcullis`, else the first name offered that is no token; a token is never echoed. */
export function handleProtocols(offered: Set<string>): string | false {
  if (offered.has(subprotocol)) {
    return subprotocol
  }
  for (const name of offered) {
    if (!name.startsWith(bearerSubprotocolPrefix)) {
      return name
    }
  }
  return false
}

/**
 * Tells of each new WebSocket before its route does, and sees to it that the server never answers
 * with a token as the negotiated subprotocol (ws by default selects the first that is offered).
 */
export function guardServer(
  server: WebSocketServer,
  opened: (socket: WebSocket, raw: IncomingMessage) => void,
): void {
  const own = server.options.handleProtocols
  server.options.handleProtocols = (offered, request) => {
    // ws has null here when the app sets none.
    const selected = typeof own === 'function' ? own(offered, request) : handleProtocols(offered)
    const echo = selected !== false && selected.startsWith(bearerSubprotocolPrefix)
    return echo ? handleProtocols(offered) : selected
  }
  server.on('connection', opened)
}

/** Closes a socket whose grant has ended: no message in, none out, from this moment. */
export function closeEnded(socket: WebSocket, raw: Socket, reason: EndReason): void {
  dropMessages(socket)
  // What a slow peer has not yet taken would still go out before the close frame.
  if (socket.bufferedAmount > 0) {
    resetWebSocket(socket, raw)
  } else {
    close(socket, raw, codes[reason])
  }
}

/**
 * Lets no message in or out while the lease is out, and closes the socket at the first that tries.
 * Gives what takes this off the socket again.
 */
export function guardMessages(
  socket: WebSocket,
  raw: Socket,
  lease: Pick<Lease, 'held'>,
): () => void {
  const emit = socket.emit.bind(socket)
  const send = socket.send.bind(socket) as (...args: unknown[]) => void
  const guarded = (event: string | symbol, ...args: unknown[]) => {
    if (event !== 'message' || lease.held) {
      return emit(event, ...args)
    }
    closeLeaseLost(socket, raw)
    return false
  }
  socket.emit = guarded
  socket.send = (...args: unknown[]) => {
    if (lease.held) {
      send(...args)
    } else {
      closeLeaseLost(socket, raw)
    }
  }
  return () => {
    // In the reverse of the order in which they came: V8 then gives the object its old shape back, and
    // otherwise makes it a dictionary of over a kilobyte, slow to read, for as long as it lives.
    Reflect.deleteProperty(socket, 'send')
    // One that was deafened meanwhile stays deaf.
    if (socket.emit === guarded) {
      Reflect.deleteProperty(socket, 'emit')
    }
  }
}

/** Closes a socket because this node may have missed its revocation. */
export function closeLeaseLost(socket: WebSocket, raw: Socket): void {
  // Also one that the app is closing: what its peer has not taken would go out behind our back.
  if (socket.bufferedAmount > 0) {
    resetWebSocket(socket, raw)
  } else if (socket.readyState === socket.OPEN) {
    close(socket, raw, closeCodes.leaseLost)
  }
}

/** Closes a socket because the app closes. */
export function closeGoingAway(socket: WebSocket, raw: Socket): void {
  close(socket, raw, goingAway)
}

function close(
  socket: WebSocket,
  raw: Socket,
  { code, reason }: { code: number; reason: string },
): void {
  const deadline = setTimeout(() => resetWebSocket(socket, raw), closeDeadlineMs)
  socket.once('close', () => clearTimeout(deadline))
  socket.close(code, reason)
}

/** ws still emits what arrives between our close frame and the peer's. */
function dropMessages(socket: WebSocket): void {
  const emit = socket.emit.bind(socket)
  socket.emit = (event: string | symbol, ...args: unknown[]) =>
    event === 'message' ? false : emit(event, ...args)
}
