import { startServer } from '../servers/start-server.js'
import type { Stage } from '../stage.js'
import type { Peer } from './peer.js'
import { startPeerRedis } from './peer-redis.js'

export interface SocketIoPeer extends Peer {
  api: NonNullable<Peer['api']>
  /** Return the standard error of each server. */
  outputs: readonly (() => string)[]
}

/** Starts socket.io servers with the Redis adapter; `/api` publishes and disconnects without authentication. */
export async function startSocketIo(
  stage: Stage,
  { nodes, execArgv = [] }: { nodes: number; execArgv?: readonly string[] },
): Promise<SocketIoPeer> {
  const redis = await startPeerRedis(stage)
  const servers = []
  for (let index = 0; index < nodes; index += 1) {
    servers.push(await startServer(stage, 'socket-io', { args: [redis.url], execArgv }))
  }
  return {
    name: 'socket.io',
    servers: servers.map(({ pid }) => pid),
    redis: redis.pid,
    urls: servers.map(({ port }) => `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`),
    protocol: 'socketIo',
    api: { urls: servers.map(({ port }) => `http://127.0.0.1:${port}/api`), headers: {} },
    outputs: servers.map(({ output }) => output),
  }
}
