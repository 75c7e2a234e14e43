import { type Swarm, startSwarm } from '../clients/start-swarm.js'
import type { Column, Figure, Prepared, Sample, Setting } from '../figure.js'
import { type Installation, type RealtimeNode, startInstallation } from '../installation.js'
import { cpuWhile } from '../measure/cpu.js'
import { channelsOf, type Layout, turn } from './layout.js'

interface Size extends Layout {
  name: string
  nodes: number
}

const columns: Column[] = [
  { key: 'delivery', title: 'µs a delivery', digits: 2 },
  { key: 'node', title: 'µs a publication, each node', digits: 0 },
  { key: 'entry', title: 'µs where it enters', digits: 0 },
  { key: 'redis', title: 'Redis µs', digits: 0 },
]

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
export const nodes: Figure = (setting) => {
  const layout = { channels: 100, each: 10, sockets: setting.quick ? 50 : 500 }
  const sizes = [4, 2, 1].map((count) => ({
    ...layout,
    nodes: count,
    name: count === 1 ? '1 node' : `${count} nodes`,
  }))
  return compare(
    setting,
    sizes,
    setting.quick ? 20 : 400,
    `Growing in nodes: ${layout.sockets} sockets on each, ${layout.channels} channels on all`,
  )
}

/** Cost of a delivery on four nodes with more channels, each with the same number of subscribers. */
export const channels: Figure = (setting) => {
  const most = setting.quick
    ? { channels: 1000, each: 100, sockets: 10 }
    : { channels: 10_000, each: 100, sockets: 500 }
  const few = { channels: 10, each: 1, sockets: setting.quick ? 10 : 50 }
  const sizes = [most, few].map((size) => ({
    ...size,
    nodes: 4,
    name: `${size.channels} channels`,
  }))
  return compare(
    setting,
    sizes,
    setting.quick ? 20 : 1000,
    `Growing in channels: 4 nodes, ${subscribers(few) * 4} subscribers in each channel`,
  )
}

/** Returns the distinct numbers as text. */
function shared(numbers: readonly number[]): string {
  return [...new Set(numbers)].join(', ')
}

/** Returns the subscribers of one channel on one node. */
function subscribers({ sockets, each, channels }: Layout): number {
  return (sockets * each) / channels
}

async function compare(
  { stage, progress }: Setting,
  sizes: readonly Size[],
  publications: number,
  title: string,
): Promise<Prepared> {
  const count = sizes.reduce((sum, size) => sum + size.nodes, 0)
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
  const sides = []
  for (const [index, { name, nodes, ...layout }] of sizes.entries()) {
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
    sides.push({
      name,
      run: () => cost(installation, entry, pids, publications, subscribers(layout), publish),
    })
  }
  return {
    title: `${title}; CPU per delivery`,
    columns,
    cases: [{ name: '', sides }],
    rounds: 5,
    warmUp: 10,
    conditions: [
      `Each channel has ${shared(sizes.map(subscribers))} subscribers on each node, each subscriber ${shared(sizes.map(({ each }) => each))} channels.`,
      `${publications} publications of ${bytes} bytes a round, ${burst} at once in channels without a common subscriber, the next when all have arrived.`,
      'They enter at a node of their own, over a WebSocket; what that costs is in its own column, and not part of a delivery.',
      'All sizes stand side by side in one installation, with nodes and channels of their own; one at a time is busy.',
    ],
  }
}

async function open(
  swarm: Swarm,
  node: RealtimeNode,
  token: string,
  channels: readonly (readonly string[])[],
): Promise<void> {
  const { length: count } = channels
  await swarm.ask({
    do: 'open',
    urls: [node.wsUrl],
    protocol: 'centrifuge',
    count,
    concurrency: 8,
    tokens: channels.map(() => token),
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
): Promise<Sample> {
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
