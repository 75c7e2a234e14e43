import { randomBytes } from 'node:crypto'
import { type StartedServer, startServer } from '../servers/start-server.js'
import type { Stage } from '../stage.js'
import type { Peer } from './peer.js'
import { startPeerRedis } from './peer-redis.js'

export interface FastifyAuth extends StartedServer {
  redis: number
  url: string
}

/** Starts an auth service that has the libraries of Portcullis and does nothing but ask Redis. */
export async function startFastifyAuth(stage: Stage): Promise<FastifyAuth> {
  const redis = await startPeerRedis(stage, { durable: true })
  const server = await startServer(stage, 'fastify-auth', { args: [redis.url] })
  return { ...server, redis: redis.pid, url: `http://127.0.0.1:${server.port}` }
}

/** Starts a node that has the libraries of Portcullis and nothing else; with `auth` it asks for each token. */
export async function startFastifyNode(stage: Stage, auth?: FastifyAuth): Promise<Peer> {
  const args = auth === undefined ? [] : [auth.url]
  const node = await startServer(stage, 'fastify-node', { args })
  const peer: Peer = {
    name: 'bare Fastify',
    servers: [node.pid],
    urls: [`ws://127.0.0.1:${node.port}/`],
    protocol: 'plain',
  }
  if (auth === undefined) {
    return peer
  }
  return {
    ...peer,
    name: 'bare Fastify, asking',
    servers: [node.pid, auth.pid],
    redis: auth.redis,
    // As long as a token of Portcullis.
    tokens: async (count) => Array.from({ length: count }, () => randomBytes(240).toString('hex')),
  }
}
