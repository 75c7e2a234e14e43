import { payload } from '../clients/payload.js'
import { sendRequests } from '../clients/requests.js'
import { type Swarm, startSwarm } from '../clients/start-swarm.js'
import type { Figure, Sample, Setting, Side } from '../figure.js'
import { givenPeers } from '../peers/given.js'
import { costOf, cpuColumns, openSockets, type Peer } from '../peers/peer.js'
import { startPortcullis } from '../peers/portcullis.js'
import { startSocketIo } from '../peers/socket-io.js'

const nodes = 2
const bytes = 128
const publishers = 16
const channelsOfSocket = 50

/** CPU of a publication into one of many channels that have two subscribers each. */
export const smallChannels: Figure = async (setting) => {
  const { stage, quick, against, progress } = setting
  const channels = quick ? 500 : 5000
  const peers = [
    await startPortcullis(stage, { nodes }),
    await startSocketIo(stage, { nodes }),
    ...givenPeers(against),
  ]
  const api: Side[] = []
  const client: Side[] = []
  for (const peer of peers) {
    progress(`subscribing: ${peer.name}`)
    const sides = await sidesOf(setting, peer, channels)
    client.push(sides.client)
    api.push(...(peer.api === undefined ? [] : [sides.api]))
  }
  return {
    title: `${channels} channels of two subscribers: CPU of the servers per publication`,
    columns: cpuColumns,
    cases: [
      { name: 'server API', sides: api },
      { name: 'client publish', sides: client },
    ],
    rounds: 5,
    warmUp: 10,
    conditions: [
      `${nodes} nodes, one subscriber of each channel on each; a socket has ${channelsOfSocket} channels.`,
      `${publications(quick)} publications of ${bytes} bytes a round into channels in turn, ${publishers} at a time, until all are received.`,
      'Portcullis: nodes and auth. socket.io: with its Redis adapter, its API is a route of node:http that checks nothing.',
    ],
  }
}

const publications = (quick: boolean) => (quick ? 160 : 1600)

/** Subscribes the peer's sockets; returns its sides: publications by the server API and by clients. */
async function sidesOf(
  { stage, quick }: Setting,
  peer: Peer,
  channels: number,
): Promise<{ api: Side; client: Side }> {
  const lists = Array.from({ length: channels / channelsOfSocket }, (_, socket) =>
    Array.from({ length: channelsOfSocket }, (_, at) => name(socket * channelsOfSocket + at)),
  )
  const swarms: Swarm[] = []
  for (let node = 0; node < nodes; node += 1) {
    const swarm = await startSwarm(stage)
    await openSockets(swarm, peer, {
      count: lists.length,
      concurrency: 16,
      node: node % peer.urls.length,
      channels: lists,
    })
    swarms.push(swarm)
  }
  const publisher = await startSwarm(stage)
  await openSockets(publisher, peer, { count: publishers, concurrency: publishers })
  const count = publications(quick)
  let round = 0
  let received = 0
  const measure = (publish: (channels: readonly string[]) => Promise<unknown>): Promise<Sample> => {
    const targets = Array.from({ length: count }, (_, at) =>
      name((round * 7919 + at * 31) % channels),
    )
    round += 1
    received += count
    return costOf(peer, count, async () => {
      await publish(targets)
      await Promise.all(swarms.map((swarm) => swarm.ask({ do: 'received', total: received })))
    })
  }
  const byClient = () =>
    measure((targets) => publisher.ask({ do: 'publishConfirmed', channels: targets, bytes }))
  const { api } = peer
  const byApi = () =>
    measure((targets) =>
      sendRequests({
        urls: (api?.urls ?? []).map((url) => `${url}/publish`),
        headers: api?.headers ?? {},
        count,
        concurrency: publishers,
        body: (n) => `{"channel":"${targets[n]}","data":${payload(n + 1, bytes)}}`,
      }),
    )
  return { api: { name: peer.name, run: byApi }, client: { name: peer.name, run: byClient } }
}

function name(channel: number): string {
  return `small-${channel}`
}
