import { type Swarm, startSwarm } from '../clients/start-swarm.js'
import type { Figure, Sample } from '../figure.js'
import { givenPeers } from '../peers/given.js'
import { costOf, cpuColumns, openCall, type Peer } from '../peers/peer.js'
import { startFastifyAuth, startFastifyNode } from '../peers/plain-fastify.js'
import { startPlainWs } from '../peers/plain-ws.js'
import { startPortcullis } from '../peers/portcullis.js'

/** How the sockets arrive. */
interface Arrival {
  name: string
  count: number
  concurrency: number
}

/** CPU to admit a socket. */
export const admission: Figure = async ({ stage, quick, against }) => {
  const arrivals: Arrival[] = [
    { name: '64 at a time', count: quick ? 128 : 1500, concurrency: 64 },
    { name: 'one by one', count: quick ? 64 : 500, concurrency: 1 },
  ]
  const peers = [
    await startPortcullis(stage, { nodes: 1 }),
    await startPlainWs(stage),
    await startFastifyNode(stage),
    await startFastifyNode(stage, await startFastifyAuth(stage)),
    ...givenPeers(against),
  ]
  const swarm = await startSwarm(stage)
  return {
    title: 'Admission: CPU of the servers per admitted socket',
    columns: cpuColumns,
    cases: arrivals.map((arrival) => ({
      name: arrival.name,
      sides: peers.map((peer) => ({ name: peer.name, run: () => admit(swarm, peer, arrival) })),
    })),
    rounds: 5,
    warmUp: 10,
    conditions: [
      `${arrivals.map(({ count, name }) => `${count} sockets a round ${name}`).join(', ')}; each until the reply to its connect command.`,
      'Portcullis: the node and auth, each socket with a token of its own that was never shown before.',
      'plain ws: the ws library without authentication, each socket until a text has been answered.',
      'bare Fastify: Fastify and @fastify/websocket without limits or authentication; asking: its preValidation hook POSTs the tokens, in batches, to a Fastify that looks them up in Redis with one script. These are the libraries of Portcullis without Portcullis.',
    ],
  }
}

async function admit(swarm: Swarm, peer: Peer, { count, concurrency }: Arrival): Promise<Sample> {
  const call = await openCall(peer, { count, concurrency })
  const cost = await costOf(peer, count, async () => {
    await swarm.ask(call)
  })
  await swarm.ask({ do: 'drop' })
  return cost
}
