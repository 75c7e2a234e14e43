import { payload } from '../clients/payload.js'
import { sendRequests } from '../clients/requests.js'
import { startSwarm } from '../clients/start-swarm.js'
import type { Figure, Sample } from '../figure.js'
import { type ApiPeer, givenApis } from '../peers/given.js'
import { costOf, cpuColumns, openSockets, type Peer } from '../peers/peer.js'
import { startPortcullis } from '../peers/portcullis.js'
import { startSocketIo } from '../peers/socket-io.js'

const bytes = 128

/** How calls of the server API arrive. */
interface Pace {
  name: string
  channel: string
  count: number
  concurrency: number
}

/** CPU of a publication by the server API. */
export const publish: Figure = async ({ stage, quick, against }) => {
  const paces: Pace[] = [
    { name: 'one at a time', channel: 'api', count: quick ? 100 : 1500, concurrency: 1 },
    {
      name: '16 at a time, with history',
      channel: 'hist:api',
      count: quick ? 160 : 3200,
      concurrency: 16,
    },
  ]
  const portcullis = await startPortcullis(stage, { nodes: 1 })
  const socketIo = await startSocketIo(stage, { nodes: 1 })
  const channels = [paces.map(({ channel }) => channel)]
  for (const peer of [portcullis, socketIo] satisfies Peer[]) {
    await openSockets(await startSwarm(stage), peer, { count: 1, concurrency: 1, channels })
  }
  const peers: ApiPeer[] = [portcullis, socketIo, ...givenApis(against)]
  return {
    title: 'Publish by the server API: CPU of the servers per publication',
    columns: cpuColumns,
    cases: paces.map((pace) => ({
      name: pace.name,
      sides: peers.map((peer) => ({ name: peer.name, run: () => call(peer, pace) })),
    })),
    rounds: 5,
    warmUp: 10,
    conditions: [
      ...paces.map(
        ({ name, count, concurrency, channel }) =>
          `${name}: ${count} calls a round over ${concurrency === 1 ? 'one connection' : `${concurrency} connections`}, ${bytes} bytes into ${channel}, which has one subscriber.`,
      ),
      'Portcullis: the node and auth; each call shows the token of a service.',
      'socket.io: with its Redis adapter, behind a route of node:http that checks nothing; it keeps no history.',
    ],
  }
}

function call({ api, ...peer }: ApiPeer, { channel, count, concurrency }: Pace): Promise<Sample> {
  const { urls, headers } = api
  const body = `{"channel":"${channel}","data":${payload(1, bytes)}}`
  return costOf(peer, count, () =>
    sendRequests({
      urls: urls.map((url) => `${url}/publish`),
      headers,
      count,
      concurrency,
      body: () => body,
    }),
  )
}
