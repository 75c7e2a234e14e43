import type { Setting } from '../benchmark.js'
import { type Swarm, startSwarm } from '../clients/start-swarm.js'
import { type Installation, type RealtimeNode, startInstallation } from '../installation.js'
import { cpuWhile } from '../measure/cpu.js'
import { alternate, type Contender } from '../measure/rounds.js'
import { median, spreadPercent } from '../measure/statistics.js'
import type { Result } from '../report/result.js'
import { Stage } from '../stage.js'
import { channelsOf, type Layout, turn } from './layout.js'

interface Case extends Layout {
  name: string
  nodes: number
}

/** CPU in microseconds. */
interface Cost {
  /** All delivering nodes, per frame that a client receives. */
  delivery: number
  /** One delivering node, per publication. */
  node: number
  /** The node where publications enter, per publication. */
  entry: number
  redis: number
}

const settings = {
  // One socket publishes everything.
  COMMANDS_PER_SECOND: '1000000',
  BYTES_PER_SECOND: '1073741824',
  // Clients that subscribe to many channels at once answer no pings.
  PING_INTERVAL_MS: '3600000',
  PONG_TIMEOUT_MS: '3599999',
}
const bytes = 128
/** Publications in flight at once, in channels without a common subscriber. */
const burst = 10

/** Cost of a delivery with more nodes, each with the same number of sockets. */
export async function nodes(setting: Setting): Promise<Result> {
  const layout = setting.quick
    ? { channels: 100, each: 10, sockets: 50 }
    : { channels: 100, each: 10, sockets: 500 }
  const cases = [1, 2, 4].map((count) => ({
    ...layout,
    nodes: count,
    name: count === 1 ? '1 node' : `${count} nodes`,
  }))
  return {
    ...(await compare(setting, cases, setting.quick ? 20 : 400)),
    name: 'scale-nodes',
    title: `Growing in nodes: ${layout.sockets} sockets on each, ${layout.channels} channels on all`,
  }
}

/** Cost of a delivery on four nodes with more channels, each with the same number of subscribers. */
export async function channels(setting: Setting): Promise<Result> {
  const sizes = setting.quick
    ? [
        { channels: 10, each: 1, sockets: 10 },
        { channels: 100, each: 10, sockets: 10 },
        { channels: 1000, each: 100, sockets: 10 },
      ]
    : [
        { channels: 10, each: 1, sockets: 50 },
        { channels: 1000, each: 10, sockets: 500 },
        { channels: 10_000, each: 100, sockets: 500 },
      ]
  const cases = sizes.map((size) => ({ ...size, nodes: 4, name: `${size.channels} channels` }))
  return {
    ...(await compare(setting, cases, setting.quick ? 20 : 1000)),
    name: 'scale-channels',
    title: `Growing in channels: 4 nodes, ${subscribers(cases[0]) * 4} subscribers in each channel`,
  }
}

/** Returns the distinct numbers as text. */
function shared(numbers: readonly number[]): string {
  return [...new Set(numbers)].join(', ')
}

/** Returns the subscribers of one channel on one node. */
function subscribers(layout: Layout | undefined): number {
  return layout === undefined ? 0 : (layout.sockets * layout.each) / layout.channels
}

async function compare(
  setting: Setting,
  cases: readonly Case[],
  publications: number,
): Promise<Omit<Result, 'name' | 'title'>> {
  const rounds = setting.quick ? 1 : 5
  const stage = new Stage()
  await setting.stage.add(() => stage.close())
  try {
    const contenders = await prepare(setting, stage, cases, publications)
    const figures = await alternate(contenders, rounds, setting.progress)
    const base = (figures.get(cases[0]?.name ?? '') ?? []).map(({ delivery }) => delivery)
    return {
      columns: [
        { key: 'deliveryUs', title: 'µs a delivery', digits: 2 },
        { key: 'ratio', title: `× ${cases[0]?.name}`, digits: 2 },
        { key: 'nodeUs', title: 'µs a publication, each node', digits: 0 },
        { key: 'entryUs', title: 'µs where it enters', digits: 0 },
        { key: 'redisUs', title: 'Redis µs', digits: 0 },
        { key: 'spreadPercent', title: 'spread %', digits: 0 },
      ],
      rows: cases.map(({ name }) => {
        const costs = figures.get(name) ?? []
        const deliveries = costs.map(({ delivery }) => delivery)
        return {
          name,
          figures: {
            deliveryUs: median(deliveries),
            ratio: median(deliveries.map((cost, round) => cost / (base[round] ?? Number.NaN))),
            nodeUs: median(costs.map(({ node }) => node)),
            entryUs: median(costs.map(({ entry }) => entry)),
            redisUs: median(costs.map(({ redis }) => redis)),
            spreadPercent: spreadPercent(deliveries),
          },
        }
      }),
      conditions: [
        `Server CPU. Each channel has ${shared(cases.map(subscribers))} subscribers on each node, each subscriber ${shared(cases.map(({ each }) => each))} channels.`,
        `${publications} publications of ${bytes} bytes a round, ${burst} at once in channels without a common subscriber, the next when all have arrived.`,
        'They enter at a node of their own, over a WebSocket; what that costs is in its own column, and not part of a delivery.',
        'All cases stand side by side in one installation, with nodes and channels of their own; one at a time is busy.',
        `Median of ${rounds} alternating rounds after one warm-up round; the ratio is the median of the rounds' ratios.`,
      ],
    }
  } finally {
    await stage.close()
  }
}

/** Prepares all cases, each on separate nodes, and one more node where everything is published. */
async function prepare(
  { progress }: Setting,
  stage: Stage,
  cases: readonly Case[],
  publications: number,
): Promise<Contender<Cost>[]> {
  const count = cases.reduce((sum, { nodes }) => sum + nodes, 0)
  progress(`starting ${count + 1} nodes`)
  const installation = await startInstallation(stage, {
    nodes: count + 1,
    realtimeEnv: settings,
  })
  const [entry, ...free] = installation.realtime
  const [token = ''] = await (await installation.newIdentity()).tokens(1)
  if (entry === undefined) {
    throw new Error('no realtime node')
  }
  const publisher = await startSwarm(stage)
  await open(publisher, entry, token, [[]])
  const contenders: Contender<Cost>[] = []
  for (const [index, { name, nodes, ...layout }] of cases.entries()) {
    progress(`subscribing: ${name}`)
    const prefix = `case${index}-`
    const lists = channelsOf(layout, prefix)
    const own = free.splice(0, nodes)
    const swarms = await Promise.all(
      own.map(async (node) => {
        const swarm = await startSwarm(stage)
        await open(swarm, node, token, lists)
        return swarm
      }),
    )
    const pids = own.map(({ pid }) => pid)
    const publish = publisherOf({ publisher, swarms, layout, prefix })
    contenders.push({
      name,
      run: () => cost(installation, entry, pids, publications, subscribers(layout), publish),
    })
  }
  return contenders
}

async function open(
  swarm: Swarm,
  node: RealtimeNode,
  token: string,
  channels: readonly (readonly string[])[],
): Promise<void> {
  const { length: count } = channels
  const tokens = channels.map(() => token)
  await swarm.ask({
    do: 'open',
    url: node.wsUrl,
    dialect: 'connected',
    count,
    concurrency: 8,
    tokens,
    channels,
  })
}

/** Returns a function that publishes `count` messages and waits until every subscriber has them. */
function publisherOf({
  publisher,
  swarms,
  layout,
  prefix,
}: {
  publisher: Swarm
  swarms: readonly Swarm[]
  layout: Layout
  prefix: string
}): (count: number) => Promise<void> {
  let sent = 0
  return async (count) => {
    for (let left = count; left > 0; left -= burst) {
      const channels = Array.from(
        { length: Math.min(burst, left) },
        (_, at) => `${prefix}${turn(layout, sent + at)}`,
      )
      sent += channels.length
      const total = sent * subscribers(layout)
      await Promise.all([
        publisher.ask({ do: 'publishInto', channels, bytes }),
        ...swarms.map((swarm) => swarm.ask({ do: 'received', total })),
      ])
    }
  }
}

async function cost(
  { redis }: Installation,
  entry: RealtimeNode,
  pids: readonly number[],
  publications: number,
  perNode: number,
  publish: (count: number) => Promise<void>,
): Promise<Cost> {
  const used = await cpuWhile([redis.pid, entry.pid, ...pids], () => publish(publications))
  const [ofRedis = 0, ofEntry = 0, ...ofNodes] = used.map((spent) => spent / publications)
  const sum = ofNodes.reduce((all, one) => all + one, 0)
  return {
    delivery: sum / (perNode * pids.length),
    node: sum / pids.length,
    entry: ofEntry,
    redis: ofRedis,
  }
}
