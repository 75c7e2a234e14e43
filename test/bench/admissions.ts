import { defined } from '@portcullis/contracts/defined'
import type { Benchmark, Setting } from './benchmark.js'
import { startSwarm } from './clients/start-swarm.js'
import { type Backend, type Installation, startInstallation } from './installation.js'
import { cpuWhile } from './measure/cpu.js'
import { alternate, type Contender } from './measure/rounds.js'
import { median, spreadPercent } from './measure/statistics.js'
import type { Row } from './report/result.js'
import { startServer } from './servers/start-server.js'

/** How the sockets arrive. */
interface Arrival {
  name: string
  count: number
  concurrency: number
}

/** CPU per admitted socket, in microseconds. */
interface Admission {
  realtime: number
  auth?: number
  redis?: number
}

const noAuth = 'no auth'
const portcullis = 'Portcullis'

/** Server CPU to admit a socket, compared with the same upgrade without authentication. */
export const admissions: Benchmark = async (setting) => {
  const { quick, progress } = setting
  const rounds = quick ? 1 : 5
  const arrivals: Arrival[] = [
    { name: '64 at a time', count: quick ? 128 : 3000, concurrency: 64 },
    { name: 'one by one', count: quick ? 64 : 1000, concurrency: 1 },
  ]
  const contenders = await prepare(setting, arrivals)
  const figures = await alternate(contenders, rounds, progress)

  return {
    name: 'admissions',
    title: 'Admissions: server CPU per admitted socket',
    columns: [
      { key: 'realtimeUs', title: 'realtime µs', digits: 0 },
      { key: 'authUs', title: 'auth µs', digits: 0 },
      { key: 'totalUs', title: 'together µs', digits: 0 },
      { key: 'ratio', title: '× no auth', digits: 2 },
      { key: 'redisUs', title: 'Redis µs', digits: 0 },
      { key: 'spreadPercent', title: 'spread %', digits: 0 },
    ],
    rows: arrivals.flatMap((arrival) => rowsOf(arrival, figures)),
    conditions: [
      `${arrivals.map(({ name, count }) => `${count} sockets ${name}`).join(', ')}; each with a token of its own, introspected once.`,
      'An upgrade alone, Authorization header on the one side, none on the other; no application frame.',
      'No auth: the same Fastify and @fastify/websocket without a gate. Together: realtime and auth.',
      `Median of ${rounds} alternating rounds after one warm-up round; the ratio is the median of the rounds' ratios.`,
      'For orientation, a naive version on another machine: 194 + 200 µs against 117 µs, 3.4 ×.',
    ],
  }
}

async function prepare(
  { stage }: Setting,
  arrivals: readonly Arrival[],
): Promise<Contender<Admission>[]> {
  const installation = await startInstallation(stage, { nodes: 1 })
  const backend = await installation.newIdentity()
  const baseline = await startServer(stage, 'no-auth')
  const swarm = await startSwarm(stage)
  const admit = async (
    url: string,
    pids: readonly number[],
    arrival: Arrival,
    tokens?: string[],
  ) => {
    const { count, concurrency } = arrival
    const used = await cpuWhile(pids, async () => {
      await swarm.ask({
        do: 'open',
        dialect: 'upgrade',
        url,
        count,
        concurrency,
        ...defined({ tokens }),
      })
    })
    await swarm.ask({ do: 'drop' })
    return used.map((microseconds) => microseconds / count)
  }
  const url = `ws://127.0.0.1:${baseline.port}/connection/websocket`
  return arrivals.flatMap((arrival) => [
    {
      name: `${noAuth}, ${arrival.name}`,
      run: async () => {
        const [realtime = 0] = await admit(url, [baseline.pid], arrival)
        return { realtime }
      },
    },
    {
      name: `${portcullis}, ${arrival.name}`,
      run: () => admitToPortcullis(installation, backend, arrival, admit),
    },
  ])
}

async function admitToPortcullis(
  { realtime: [node], auth, redis }: Installation,
  backend: Backend,
  arrival: Arrival,
  admit: (
    url: string,
    pids: readonly number[],
    arrival: Arrival,
    tokens: string[],
  ) => Promise<number[]>,
): Promise<Admission> {
  if (node === undefined) {
    throw new Error('no realtime node')
  }
  const pids = [node.pid, auth.pid, redis.pid]
  const [realtime = 0, ofAuth = 0, ofRedis = 0] = await admit(
    node.wsUrl,
    pids,
    arrival,
    await backend.tokens(arrival.count),
  )
  return { realtime, auth: ofAuth, redis: ofRedis }
}

function rowsOf({ name }: Arrival, figures: ReadonlyMap<string, Admission[]>): Row[] {
  const base = (figures.get(`${noAuth}, ${name}`) ?? []).map(total)
  return [noAuth, portcullis].map((who) => {
    const admitted = figures.get(`${who}, ${name}`) ?? []
    const totals = admitted.map(total)
    const auth = admitted.flatMap((figure) => figure.auth ?? [])
    const redis = admitted.flatMap((figure) => figure.redis ?? [])
    return {
      name: `${who}, ${name}`,
      figures: {
        realtimeUs: median(admitted.map(({ realtime }) => realtime)),
        ...(auth.length === 0 ? {} : { authUs: median(auth) }),
        totalUs: median(totals),
        ratio: median(totals.map((value, round) => value / (base[round] ?? Number.NaN))),
        ...(redis.length === 0 ? {} : { redisUs: median(redis) }),
        spreadPercent: spreadPercent(totals),
      },
    }
  })
}

/** CPU of realtime and auth; Redis has its own column. */
const total = ({ realtime, auth = 0 }: Admission) => realtime + auth
