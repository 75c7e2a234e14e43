import { request } from 'undici'
import type { Swarm } from '../clients/start-swarm.js'
import type { Against } from '../options.js'
import { givenPeers } from '../peers/given.js'
import type { Peer } from '../peers/peer.js'
import { startPortcullis } from '../peers/portcullis.js'
import { startSocketIo } from '../peers/socket-io.js'
import type { Stage } from '../stage.js'
import type { Target } from './audience.js'

/** A peer with its way to end sockets from outside. */
export interface Revoking {
  peer: Peer & Required<Pick<Peer, 'api'>>
  /** True if nothing may have an effect after `endOne` has resolved. */
  guaranteed: boolean
  /** Code that every socket must be closed with. */
  closeCode?: number
  endOne(swarm: Swarm, target: Target): Promise<void>
  /** Ends all sockets of a group; omitted where sockets have no groups. */
  endAll?(group: string): Promise<void>
  newGroup?(): Promise<{ name: string; tokens?: (count: number) => Promise<string[]> }>
  /** Channels that a socket joins so that it can be ended. */
  ownChannels?(group: string, node: number, index: number): string[]
}

/** Milliseconds that a call waits for its receipt. */
const waitMs = 30_000

/** Portcullis: revokes a token, or an identity. */
export async function portcullisRevoking(stage: Stage, nodes: number): Promise<Revoking> {
  const peer = await startPortcullis(stage, { nodes })
  const { api, newIdentity } = peer.installation
  const revoke = async (selector: object) => {
    const receipt = await api('/v1/revocations', { ...selector, wait: waitMs })
    if (receipt['complete'] !== true) {
      throw new Error('the receipt is not complete')
    }
  }
  return {
    peer,
    guaranteed: true,
    closeCode: 4500,
    endOne: (_swarm, { token }) => revoke({ token }),
    endAll: (identity) => revoke({ identity }),
    // A new identity in each round: the number of earlier tokens must not affect the result.
    newGroup: async () => {
      const { identity, tokens } = await newIdentity()
      return { name: identity, tokens }
    },
  }
}

/** socket.io: disconnects a room, in which each socket is alone, or with its group. */
export async function socketIoDisconnecting(stage: Stage, nodes: number): Promise<Revoking> {
  const peer = await startSocketIo(stage, { nodes })
  const [url = ''] = peer.api.urls
  const disconnect = (room: string) => post(`${url}/disconnect`, {}, { room })
  let groups = 0
  return {
    peer,
    guaranteed: false,
    endOne: (_swarm, { node, index }) => disconnect(`crowd-${node}-${index}`),
    endAll: disconnect,
    newGroup: async () => {
      groups += 1
      return { name: `group-${groups}` }
    },
    ownChannels: (group, node, index) => [group === 'crowd' ? `crowd-${node}-${index}` : group],
  }
}

/** The user's server: disconnects one connection of the token's user. */
export function givenDisconnecting(against: Against | undefined): Revoking[] {
  const user = against?.token === undefined ? undefined : subjectOf(against.token)
  return givenPeers(against).flatMap((peer) => {
    const { api } = peer
    if (api === undefined || user === undefined) {
      return []
    }
    return [
      {
        peer: { ...peer, api },
        guaranteed: false,
        endOne: async (swarm, { index }) => {
          const { client } = await swarm.ask({ do: 'client', index })
          await post(`${api.urls[0]}/disconnect`, api.headers, { user, client })
        },
      },
    ]
  })
}

/** Returns the subject of a JWT, unverified. */
function subjectOf(token: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
    )
    const subject: unknown =
      typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'sub') : undefined
    return typeof subject === 'string' ? subject : undefined
  } catch {
    return undefined
  }
}

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: object,
): Promise<void> {
  const answer = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const text = await answer.body.text()
  if (answer.statusCode !== 200 || text.includes('"error"')) {
    throw new Error(`${url} answered ${answer.statusCode}: ${text.slice(0, 200)}`)
  }
}
