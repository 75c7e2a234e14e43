import type { Config } from '../config/config.js'
import { Connection } from '../connection/connection.js'
import { Lobby } from '../connection/lobby.js'
import type { Node } from '../connection/node.js'

/**
 * Makes the lobby of `ADMISSION=connect`; returns undefined when each upgrade must bring a token.
 */
export function openLobby(
  { ADMISSION, CONNECT_DEADLINE_MS }: Config,
  node: Node,
): Lobby | undefined {
  if (ADMISSION !== 'connect') {
    return undefined
  }
  return new Lobby({
    deadlineMs: CONNECT_DEADLINE_MS,
    enter: (transport, codec, grant, token) =>
      new Connection({
        node,
        transport,
        codec,
        grant,
        isAdmitted: (other) => other === token,
      }),
  })
}
