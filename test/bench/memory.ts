import { defined } from '@portcullis/contracts/defined'
import type { Benchmark, Setting } from './benchmark.js'
import type { DialectName } from './clients/dialects.js'
import { startSwarm } from './clients/start-swarm.js'
import { startInstallation } from './installation.js'
import { inspectorOption, inspectorUrl, memoryAfterGc } from './measure/inspector.js'
import { socketsPerProcess } from './measure/machine.js'
import { alternate } from './measure/rounds.js'
import { median, spreadPercent } from './measure/statistics.js'
import { startServer } from './servers/start-server.js'
import { Stage } from './stage.js'

interface MemoryServer {
  output(): string
  url: string
  dialect: DialectName
  tokens?: (count: number) => Promise<string[]>
}

/** Starts the server as a process with its inspector open. */
type Start = (stage: Stage) => Promise<MemoryServer>

/** Bytes per socket. */
interface Footprint {
  rss: number
  heap: number
}

const baseline = 'no auth'

/** Memory of an idle, admitted socket in the server's process. */
export const memory: Benchmark = async (setting) => {
  const { quick, progress } = setting
  const wanted = quick ? 500 : 10_000
  const count = await socketsPerProcess(wanted)
  const rounds = quick ? 1 : 3
  const contenders = Object.entries(starts).map(([name, start]) => ({
    name,
    run: () => footprint(setting, start, count),
  }))
  // Each round starts new processes, so a warm-up round would be useless.
  const figures = await alternate(contenders, rounds, progress, { warmUp: false })
  const base = (figures.get(baseline) ?? []).map(({ rss }) => rss)

  return {
    name: 'memory',
    title: `Memory of an idle admitted socket, at ${count} of them`,
    columns: [
      { key: 'rssKb', title: 'RSS kB', digits: 1 },
      { key: 'heapKb', title: 'heap kB', digits: 1 },
      { key: 'rssRatio', title: 'RSS × no auth', digits: 2 },
      { key: 'rssSpreadPercent', title: 'spread %', digits: 0 },
    ],
    rows: [...figures].map(([name, footprints]) => ({
      name,
      figures: {
        rssKb: median(footprints.map(({ rss }) => rss)) / 1000,
        heapKb: median(footprints.map(({ heap }) => heap)) / 1000,
        rssRatio: median(footprints.map(({ rss }, round) => rss / (base[round] ?? Number.NaN))),
        rssSpreadPercent: spreadPercent(footprints.map(({ rss }) => rss)),
      },
    })),
    conditions: [
      `(with ${count} sockets - with none) / ${count}, each after two full garbage collections; in 1000 bytes. Heap: live objects and their buffers.`,
      `The node's process alone: no kernel buffers, no auth, no Redis. Before "none" ${warmUpCount(count)} sockets came and went.`,
      'Portcullis and socket.io: connected in their protocol, in no channel, each Portcullis socket with a token of its own. No auth: the upgrade alone.',
      `Median of ${rounds} alternating rounds, each with new processes.`,
      ...(count < wanted
        ? [`Only ${count}: the limit of open files (ulimit -Hn) allows no ${wanted}.`]
        : []),
      'For orientation, a naive version on another machine: 9.9 kB.',
    ],
  }
}

const starts: Readonly<Record<string, Start>> = {
  [baseline]: async (stage) => {
    const { port, output } = await startServer(stage, 'no-auth', { execArgv: [inspectorOption] })
    const url = `ws://127.0.0.1:${port}/connection/websocket`
    return { output, url, dialect: 'upgrade' }
  },
  Portcullis: async (stage) => {
    const { realtime, newIdentity } = await startInstallation(stage, {
      nodes: 1,
      realtimeEnv: { NODE_OPTIONS: inspectorOption },
    })
    const [node] = realtime
    if (node === undefined) {
      throw new Error('no realtime node')
    }
    const { tokens } = await newIdentity()
    return { output: node.output, url: node.wsUrl, dialect: 'connected', tokens }
  },
  'socket.io': async (stage) => {
    const { port, output } = await startServer(stage, 'socket-io', { execArgv: [inspectorOption] })
    const url = `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`
    return { output, url, dialect: 'socketIo' }
  },
}

async function footprint(setting: Setting, start: Start, count: number): Promise<Footprint> {
  const stage = new Stage()
  await setting.stage.add(() => stage.close())
  try {
    const { url, dialect, output, tokens } = await start(stage)
    const swarm = await startSwarm(stage)
    const open = async (sockets: number) => {
      const shown = await tokens?.(sockets)
      await swarm.ask({
        do: 'open',
        url,
        dialect,
        count: sockets,
        concurrency: 32,
        ...defined({ tokens: shown }),
      })
    }
    await open(warmUpCount(count))
    await swarm.ask({ do: 'drop' })
    const inspector = inspectorUrl(output())
    const before = await memoryAfterGc(inspector)
    await open(count)
    const after = await memoryAfterGc(inspector)
    return { rss: (after.rss - before.rss) / count, heap: (after.heap - before.heap) / count }
  } finally {
    await stage.close()
  }
}

/** Enough to compile the code and to grow the young generation. */
const warmUpCount = (count: number) => Math.round(count / 10)
