import { type Child, startChild } from '../child.js'
import type { Stage } from '../stage.js'
import type { Served } from './serve.js'

/** The servers that Portcullis is compared with. */
export type ServerName = 'socket-io' | 'plain-ws' | 'oidc-server' | 'fastify-auth' | 'fastify-node'

export interface StartedServer {
  pid: number
  port: number
  output(): string
}

/** Starts a server as a separate process. */
export async function startServer(
  stage: Stage,
  name: ServerName,
  options: Parameters<typeof startChild>[2] = {},
): Promise<StartedServer> {
  const program = new URL(`./${name}.js`, import.meta.url)
  const child: Child<string, Served> = await startChild(stage, program, options)
  const { port } = await child.ask('port')
  return { pid: child.pid, port, output: child.output }
}
