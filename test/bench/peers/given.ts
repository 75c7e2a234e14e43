import type { Against } from '../options.js'
import type { Peer } from './peer.js'

/** Returns the user's server as a peer for sockets; none if no WebSocket URL was given. */
export function givenPeers(against: Against | undefined): Peer[] {
  const [first] = against?.sockets ?? []
  if (against === undefined || first === undefined) {
    return []
  }
  const { sockets, apis, token, pids } = against
  return [
    {
      name: new URL(first).host,
      servers: pids,
      urls: sockets,
      protocol: 'centrifuge',
      ...(token === undefined ? {} : { connectToken: token }),
      ...(apis.length === 0 ? {} : { api: apiOf(against) }),
    },
  ]
}

/** Returns the user's server as a peer for the server API alone; none if no HTTP URL was given. */
export function givenApis(against: Against | undefined): ApiPeer[] {
  const [first] = against?.apis ?? []
  return against === undefined || first === undefined
    ? []
    : [{ name: new URL(first).host, servers: against.pids, api: apiOf(against) }]
}

/** What a figure of the server API needs of a peer. */
export type ApiPeer = Pick<Peer, 'name' | 'servers' | 'redis'> & Required<Pick<Peer, 'api'>>

function apiOf({ apis, apiKey }: Against): NonNullable<Peer['api']> {
  return { urls: apis, headers: apiKey === undefined ? {} : { 'x-api-key': apiKey } }
}
