import { type Swarm, startSwarm } from '../clients/start-swarm.js'
import type { Figure, Sample, Setting } from '../figure.js'
import { givenPeers } from '../peers/given.js'
import { costOf, cpuColumns, openSockets, type Peer } from '../peers/peer.js'
import { startPlainWs } from '../peers/plain-ws.js'
import { startPortcullis } from '../peers/portcullis.js'
import { startSocketIo } from '../peers/socket-io.js'

const bytes = 128
const channel = 'fan'

/** The pacing of publications. */
interface Pace {
  name: string
  count: number
  burst: number
}

/** CPU of a delivery to one of many subscribers of a channel. */
export const fanout: Figure = async (setting) => {
  const { stage, quick, against, progress } = setting
  const subscribers = quick ? 100 : 1000
  const paces: Pace[] = [
    { name: 'one at a time', count: quick ? 10 : 50, burst: 1 },
    { name: 'bursts of 10', count: quick ? 20 : 100, burst: 10 },
  ]
  const peers: Peer[] = [
    await startPortcullis(stage, { nodes: 1 }),
    await startSocketIo(stage, { nodes: 1 }),
    await startPlainWs(stage),
    await startPlainWs(stage, { way: 'write' }),
    ...givenPeers(against),
  ]
  const crowds: { peer: Peer; swarm: Swarm }[] = []
  for (const peer of peers) {
    progress(`subscribing ${subscribers} sockets: ${peer.name}`)
    crowds.push({ peer, swarm: await subscribe(setting, peer, subscribers) })
  }
  return {
    title: `Fan-out to ${subscribers} subscribers: CPU of the servers per delivery`,
    columns: cpuColumns.map((column) => ({ ...column, digits: 2 })),
    cases: paces.map((pace) => ({
      name: pace.name,
      sides: crowds.map(({ peer, swarm }) => ({
        name: peer.name,
        run: () => deliver(swarm, peer, pace, subscribers),
      })),
    })),
    rounds: 5,
    warmUp: 10,
    conditions: [
      `One channel on one node; ${paces.map(({ count, name }) => `${count} publications a round ${name}`).join(', ')}, of ${bytes} bytes, over a subscriber's own socket; the next when every subscriber has them.`,
      'Portcullis: the node and auth, every publication through Redis. socket.io: with its Redis adapter.',
      'plain ws: ws.send to each socket. write() floor: one system call with a prepared frame to each.',
    ],
  }
}

async function subscribe({ stage }: Setting, peer: Peer, count: number): Promise<Swarm> {
  const swarm = await startSwarm(stage)
  await openSockets(swarm, peer, { count, concurrency: 32, node: 0, channels: [[channel]] })
  return swarm
}

function deliver(
  swarm: Swarm,
  peer: Peer,
  { count, burst }: Pace,
  subscribers: number,
): Promise<Sample> {
  return costOf(peer, count * subscribers, async () => {
    await swarm.ask({ do: 'publish', channel, count, burst, bytes })
  })
}
