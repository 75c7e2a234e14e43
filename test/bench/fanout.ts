import { defined } from '@portcullis/contracts/defined'
import type { Benchmark, Setting } from './benchmark.js'
import type { DialectName } from './clients/dialects.js'
import { startSwarm } from './clients/start-swarm.js'
import { startInstallation } from './installation.js'
import { cpuWhile } from './measure/cpu.js'
import { alternate, type Contender } from './measure/rounds.js'
import { median, spreadPercent } from './measure/statistics.js'
import type { Row } from './report/result.js'
import { startServer } from './servers/start-server.js'

/** The pacing of publications. */
interface Pace {
  /** Prefix of the keys of its columns. */
  key: string
  name: string
  burst: number
}

interface Load {
  subscribers: number
  publications: number
  bytes: number
}

interface FanoutServer {
  name: string
  pid: number
  url: string
  dialect: DialectName
  tokens?: string[]
}

const paces: readonly Pace[] = [
  { key: 'single', name: 'one by one', burst: 1 },
  { key: 'burst', name: 'bursts of 10', burst: 10 },
]

const reference = 'socket.io'

/** Server CPU per delivery, compared with socket.io and bare loops. */
export const fanout: Benchmark = async (setting) => {
  const { quick, progress } = setting
  const rounds = quick ? 1 : 5
  const load: Load = { subscribers: quick ? 100 : 1000, publications: quick ? 20 : 200, bytes: 128 }
  const servers = await start(setting, load)
  const contenders = await connect(setting, servers, load)
  const figures = await alternate(contenders, rounds, progress)

  return {
    name: 'fanout',
    title: `Fan-out: server CPU per delivery at ${load.subscribers} subscribers of one channel`,
    columns: paces.flatMap(({ key, name }) => [
      { key: `${key}Us`, title: `${name}: µs`, digits: 2 },
      { key: `${key}Ratio`, title: `× ${reference}`, digits: 2 },
      { key: `${key}SpreadPercent`, title: 'spread %', digits: 0 },
    ]),
    rows: servers.map(({ name }) => rowOf(name, figures)),
    conditions: [
      `${load.publications} publications of ${load.bytes} bytes a round, published over a subscriber's own WebSocket,`,
      'one or ten of them at once, and the next when every subscriber has received them.',
      'Portcullis: the realtime node, every publication through Redis. socket.io: its in-memory adapter, nothing between.',
      `Median of ${rounds} alternating rounds after one warm-up round; the ratio is the median of the rounds' ratios.`,
      'For orientation, a naive version on another machine: 9 µs plain ws.send, 6.6 µs pre-encoded, 4.4 µs a bare write() in C.',
    ],
  }
}

async function start({ stage, progress }: Setting, load: Load): Promise<FanoutServer[]> {
  progress('starting the servers')
  const installation = await startInstallation(stage, { nodes: 1 })
  const [node] = installation.realtime
  if (node === undefined) {
    throw new Error('no realtime node')
  }
  const backend = await installation.newIdentity()
  const socketIo = await startServer(stage, 'socket-io')
  const send = await startServer(stage, 'plain-ws', { args: ['send'] })
  const encoded = await startServer(stage, 'plain-ws', { args: ['encoded'] })
  const local = (port: number, path = '/') => `ws://127.0.0.1:${port}${path}`
  return [
    {
      name: 'Portcullis',
      pid: node.pid,
      url: node.wsUrl,
      dialect: 'subscribed',
      tokens: await backend.tokens(load.subscribers),
    },
    {
      name: reference,
      pid: socketIo.pid,
      url: local(socketIo.port, '/socket.io/?EIO=4&transport=websocket'),
      dialect: 'socketIo',
    },
    { name: 'plain ws.send', pid: send.pid, url: local(send.port), dialect: 'upgrade' },
    { name: 'pre-encoded write', pid: encoded.pid, url: local(encoded.port), dialect: 'upgrade' },
  ]
}

/** Connects each server's subscribers, in a separate process; only one server is busy at a time. */
async function connect(
  { stage, progress }: Setting,
  servers: readonly FanoutServer[],
  { subscribers, publications, bytes }: Load,
): Promise<Contender<number>[]> {
  const contenders: Contender<number>[] = []
  for (const { name, pid, url, dialect, tokens } of servers) {
    progress(`subscribing ${subscribers} clients: ${name}`)
    const swarm = await startSwarm(stage)
    await swarm.ask({
      do: 'open',
      url,
      dialect,
      count: subscribers,
      concurrency: 32,
      ...defined({ tokens }),
    })
    for (const { name: pace, burst } of paces) {
      contenders.push({
        name: `${name}, ${pace}`,
        run: async () => {
          const [used = 0] = await cpuWhile([pid], async () => {
            await swarm.ask({ do: 'publish', count: publications, burst, bytes })
          })
          return used / (publications * subscribers)
        },
      })
    }
  }
  return contenders
}

function rowOf(name: string, figures: ReadonlyMap<string, number[]>): Row {
  const entries = paces.flatMap(({ key, name: pace }) => {
    const costs = figures.get(`${name}, ${pace}`) ?? []
    const base = figures.get(`${reference}, ${pace}`) ?? []
    return [
      [`${key}Us`, median(costs)],
      [`${key}Ratio`, median(costs.map((cost, round) => cost / (base[round] ?? Number.NaN)))],
      [`${key}SpreadPercent`, spreadPercent(costs)],
    ]
  })
  return { name, figures: Object.fromEntries(entries) }
}
