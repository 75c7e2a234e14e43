import type { Config } from '../config/config.js'
import { Connection } from '../connection/connection.js'
import { Lobby } from '../connection/lobby.js'
import type { Node } from '../connection/node.js'

/** Makes the lobby for clients whose token arrives in the first command. */
export function openLobby({ CONNECT_DEADLINE_MS }: Config, node: Node): Lobby {
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
