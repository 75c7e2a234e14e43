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
  /** In the client protocol: reconnect with a new token. */
  expired: { code: 3005, reason: 'connection expired' },
}
const goingAway = { code: 1001, reason: 'going away' }

/** Returns true if the request asks to switch protocols and the server handles upgrades. */
export function isUpgrade(raw: IncomingMessage): boolean {
  // Node sets `upgrade` to false on a server without an upgrade listener.
  return raw.headers.upgrade !== undefined && Reflect.get(raw, 'upgrade') !== false
}

/** Selects `portcullis`, else the first offered name that is not a token. A token is never echoed. */
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
 * Calls `opened` with each new WebSocket before its route runs. Prevents the server from selecting a token
 * as the subprotocol: by default ws selects the first name offered.
 */
export function guardServer(
  server: WebSocketServer,
  opened: (socket: WebSocket, raw: IncomingMessage) => void,
): void {
  const own = server.options.handleProtocols
  server.options.handleProtocols = (offered, request) => {
    // null when the app sets no function.
    const selected = typeof own === 'function' ? own(offered, request) : handleProtocols(offered)
    const echo = selected !== false && selected.startsWith(bearerSubprotocolPrefix)
    return echo ? handleProtocols(offered) : selected
  }
  server.on('connection', opened)
}

/** Closes a socket whose grant has ended. No message passes in either direction from this moment. */
export function closeEnded(socket: WebSocket, raw: Socket, reason: EndReason): void {
  dropMessages(socket)
  // Bytes that a slow peer has not taken would leave before the close frame.
  if (socket.bufferedAmount > 0) {
    resetWebSocket(socket, raw)
  } else {
    close(socket, raw, codes[reason])
  }
}

/**
 * Closes the socket at the first message, in or out, while the lease is out. Returns a function that
 * removes this guard.
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
    // In reverse order of the assignments: V8 then restores the object's shape. In any other order the
    // object becomes a slow dictionary of over a kilobyte for the rest of its life.
    Reflect.deleteProperty(socket, 'send')
    // `dropMessages` may have replaced `emit` since.
    if (socket.emit === guarded) {
      Reflect.deleteProperty(socket, 'emit')
    }
  }
}

/** Closes a socket because this node may have missed its token's revocation. */
export function closeLeaseLost(socket: WebSocket, raw: Socket): void {
  // Even if the app is closing the socket: bytes that the peer has not taken would still leave.
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

/** Ignores messages that arrive between our close frame and the peer's; ws emits them. */
function dropMessages(socket: WebSocket): void {
  const emit = socket.emit.bind(socket)
  socket.emit = (event: string | symbol, ...args: unknown[]) =>
    event === 'message' ? false : emit(event, ...args)
}
