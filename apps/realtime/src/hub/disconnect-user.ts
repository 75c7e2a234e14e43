import type { Disconnect } from '@portcullis/protocol'
import type { Hub } from './hub.js'

export interface DisconnectUser {
  /** The subject of the tokens that the connections stand on. */
  user: string
  /** Only this one connection of the user. */
  client?: string
  /** Only connections on this identity's tokens. */
  identity?: string
  disconnect: Disconnect
}

/** Closes the user's connections on this node; says how many. */
export function disconnectUser(
  hub: Hub,
  { user, client, identity, disconnect }: DisconnectUser,
): number {
  const members = hub
    .of(user)
    .filter(
      (member) =>
        (client === undefined || member.id === client) &&
        (identity === undefined || member.identity === identity),
    )
  for (const member of members) member.end(disconnect)
  return members.length
}
