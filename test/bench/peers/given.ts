import type { Against } from '../options.js'
import type { Peer } from './peer.js'

/** Returns the user's server as a peer for sockets; none if no WebSocket URL was given. */
export function givenPeers(against: Against | undefined): Peer[] {
  if (against?.socket === undefined) {
    return []
  }
  const { socket, api, apiKey, token, pids } = against
  return [
    {
      name: new URL(socket).host,
      servers: pids,
      urls: [socket],
      protocol: 'centrifuge',
      ...(token === undefined ? {} : { connectToken: token }),
      ...(api === undefined ? {} : { api: apiOf(api, apiKey) }),
    },
  ]
}

/** Returns the user's server as a peer for the server API alone; none if no HTTP URL was given. */
export function givenApis(against: Against | undefined): ApiPeer[] {
  if (against?.api === undefined) {
    return []
  }
  const { api, apiKey, pids } = against
  return [{ name: new URL(api).host, servers: pids, api: apiOf(api, apiKey) }]
}

/** What a figure of the server API needs of a peer. */
export type ApiPeer = Pick<Peer, 'name' | 'servers' | 'redis'> & Required<Pick<Peer, 'api'>>

function apiOf(url: string, key: string | undefined): NonNullable<Peer['api']> {
  return { urls: [url], headers: key === undefined ? {} : { 'x-api-key': key } }
}
