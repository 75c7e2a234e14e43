import { type Swarm, startSwarm } from '../clients/start-swarm.js'
import type { Figure, Sample } from '../figure.js'
import { givenPeers } from '../peers/given.js'
import { costOf, openCall, type Peer } from '../peers/peer.js'
import { startPlainWs } from '../peers/plain-ws.js'
import { startPortcullis } from '../peers/portcullis.js'

const nodes = 2
const processes = 2

/** Time until all sockets are back after all were cut. */
export const storm: Figure = async ({ stage, quick, against }) => {
  const sockets = quick ? 200 : 5000
  const peers = [
    await startPortcullis(stage, { nodes }),
    await startPlainWs(stage, { nodes }),
    ...givenPeers(against),
  ]
  const swarms = await Promise.all(Array.from({ length: processes }, () => startSwarm(stage)))
  const refusals = new Map<string, number[]>(peers.map(({ name }) => [name, []]))
  return {
    title: `Storm: ${sockets} sockets connect at once to ${nodes} nodes; time until all are back, per socket`,
    columns: [
      { key: 'time', title: 'time µs', digits: 0 },
      { key: 'cpu', title: 'CPU µs', digits: 0 },
      { key: 'redis', title: 'Redis µs', digits: 0 },
    ],
    cases: [
      {
        name: '',
        sides: peers.map((peer) => ({
          name: peer.name,
          run: async () => {
            const { refused, cost } = await rush(swarms, peer, sockets)
            refusals.get(peer.name)?.push(refused)
            return cost
          },
        })),
      },
    ],
    rounds: 3,
    warmUp: 3,
    conditions: [
      'From the first attempt until the last socket has its reply to connect and is subscribed, divided by the sockets; clients and servers share the cores.',
      'A refused socket tries again as centrifuge-js does, after 0.5 to 20 s with full jitter.',
      'Each socket is in one of 100 channels, at Portcullis with a token of its own; plain ws has neither.',
    ],
    notes: () => [
      `Refusals in each round, warm-up first: ${[...refusals].map(([name, counts]) => `${name} ${counts.join(', ')}`).join('; ')}.`,
    ],
  }
}

async function rush(
  swarms: readonly Swarm[],
  peer: Peer,
  sockets: number,
): Promise<{ refused: number; cost: Sample }> {
  const count = sockets / swarms.length
  const channels = Array.from({ length: 100 }, (_, index) => [`room-${index}`])
  const calls = await Promise.all(
    swarms.map(async (swarm) => {
      const call = await openCall(peer, { count, concurrency: count, channels })
      return () => swarm.ask({ ...call, again: true })
    }),
  )
  let refused = 0
  const cost = await costOf(peer, sockets, async () => {
    const answers = await Promise.all(calls.map((open) => open()))
    refused = answers.reduce((sum, answer) => sum + (answer.refused ?? 0), 0)
  })
  await Promise.all(swarms.map((swarm) => swarm.ask({ do: 'drop' })))
  return { refused, cost }
}
