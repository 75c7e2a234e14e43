import { startServer } from '../servers/start-server.js'
import type { Stage } from '../stage.js'
import type { Peer } from './peer.js'

/** How a plain server sends a text to all: `ws.send` to each, or one `write` system call with a prepared frame. */
export type PlainWay = 'send' | 'write'

export interface PlainPeer extends Peer {
  /** Return the standard error of each server. */
  outputs: readonly (() => string)[]
}

/** Starts servers that have the `ws` library and nothing else. */
export async function startPlainWs(
  stage: Stage,
  {
    nodes = 1,
    way = 'send',
    execArgv = [],
  }: { nodes?: number; way?: PlainWay; execArgv?: readonly string[] } = {},
): Promise<PlainPeer> {
  const servers = []
  for (let index = 0; index < nodes; index += 1) {
    servers.push(await startServer(stage, 'plain-ws', { args: [way], execArgv }))
  }
  return {
    name: way === 'send' ? 'plain ws' : 'write() floor',
    servers: servers.map(({ pid }) => pid),
    urls: servers.map(({ port }) => `ws://127.0.0.1:${port}/`),
    protocol: 'plain',
    outputs: servers.map(({ output }) => output),
  }
}
