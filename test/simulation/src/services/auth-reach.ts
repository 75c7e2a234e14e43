import type { SimulatedWebSocket } from '../network/web-socket.js'
import type { Process } from '../world/process.js'
import type { AuthAnswer, AuthRequest } from './auth.js'

/** A node's ways to auth, through whatever stands between the two. */
export interface AuthReach {
  request(from: Process, request: AuthRequest, timeoutMs: number): Promise<AuthAnswer>
  dial(from: Process, token: string, handshakeMs: number): SimulatedWebSocket
}
