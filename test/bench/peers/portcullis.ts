import { type Installation, startInstallation } from '../installation.js'
import type { Stage } from '../stage.js'
import type { Peer } from './peer.js'

export interface PortcullisPeer extends Peer {
  installation: Installation
  tokens(count: number): Promise<string[]>
  api: NonNullable<Peer['api']>
}

/** A namespace with history, `hist:…`. */
const namespaces = { hist: { historySize: 100, historyTtlSeconds: 300, recovery: true } }

/** Starts Portcullis with nodes that do not limit what one socket sends. */
export async function startPortcullis(
  stage: Stage,
  { nodes, authEnv = {}, realtimeEnv = {} }: Parameters<typeof startInstallation>[1],
): Promise<PortcullisPeer> {
  const installation = await startInstallation(stage, {
    nodes,
    authEnv,
    realtimeEnv: {
      NAMESPACES: JSON.stringify(namespaces),
      // One socket publishes everything.
      COMMANDS_PER_SECOND: '1000000',
      BYTES_PER_SECOND: '1073741824',
      ...realtimeEnv,
    },
  })
  const { realtime, auth, redis } = installation
  const { tokens } = await installation.newIdentity()
  const publisher = await installation.newService('publisher', ['publish:*'])
  return {
    name: 'Portcullis',
    installation,
    servers: [...realtime.map(({ pid }) => pid), auth.pid],
    redis: redis.pid,
    urls: realtime.map(({ wsUrl }) => wsUrl),
    protocol: 'centrifuge',
    tokens,
    api: {
      urls: realtime.map(({ wsUrl }) => `${new URL(wsUrl).origin.replace('ws', 'http')}/api`),
      headers: { 'x-api-key': publisher },
    },
  }
}
