import { setTimeout as sleep } from 'node:timers/promises'
import { startSwarm } from '../clients/start-swarm.js'
import type { Figure, Sample, Setting, Side } from '../figure.js'
import {
  inspectorOption,
  inspectorUrl,
  type Memory,
  memoryAfterGc,
  residentBytes,
} from '../measure/inspector.js'
import { socketsPerProcess } from '../measure/machine.js'
import { openSockets, type Peer } from '../peers/peer.js'
import { startPlainWs } from '../peers/plain-ws.js'
import { startPortcullis } from '../peers/portcullis.js'
import { startSocketIo } from '../peers/socket-io.js'
import { Stage } from '../stage.js'

/** A peer whose first server is a new process with its inspector open. */
interface Inspected {
  peer: Peer
  pid: number
  output(): string
}

/** Sockets need a moment until everything of their admission is garbage, and servers to collect some of it. */
const settleMs = 5000

/** Memory of an idle socket with a subscription in the server's process. */
export const memory: Figure = async (setting) => {
  const wanted = setting.quick ? 500 : 10_000
  const count = await socketsPerProcess(wanted)
  return {
    title: `Memory of an idle socket with a subscription, at ${count} of them`,
    columns: [
      { key: 'resident', title: 'RSS kB', digits: 1 },
      { key: 'collected', title: 'RSS kB after GC', digits: 1 },
      { key: 'heap', title: 'live heap kB', digits: 1 },
    ],
    cases: [
      {
        name: '',
        sides: Object.entries(starts).map(
          ([name, start]): Side => ({ name, run: () => footprint(setting, start, count) }),
        ),
      },
    ],
    rounds: 2,
    warmUp: 0,
    conditions: [
      `(with ${count} sockets - with none) / ${count} of the server's process alone, in 1000 bytes: resident memory ${settleMs / 1000} s after the last socket, the same after two full garbage collections, and live objects with their buffers.`,
      `Each socket is in one of 100 channels, at Portcullis with a token of its own; plain ws has neither. Before "none" ${warmUpCount(count)} sockets came and went.`,
      ...(count < wanted
        ? [`Only ${count}: the limit of open files (ulimit -Hn) allows no ${wanted}.`]
        : []),
    ],
  }
}

const starts: Readonly<Record<string, (stage: Stage) => Promise<Inspected>>> = {
  Portcullis: async (stage) => {
    const peer = await startPortcullis(stage, {
      nodes: 1,
      realtimeEnv: { NODE_OPTIONS: inspectorOption },
    })
    const [node] = peer.installation.realtime
    return { peer, pid: node?.pid ?? 0, output: () => node?.output() ?? '' }
  },
  'socket.io': async (stage) => {
    const peer = await startSocketIo(stage, { nodes: 1, execArgv: [inspectorOption] })
    return { peer, pid: peer.servers[0] ?? 0, output: () => peer.outputs[0]?.() ?? '' }
  },
  'plain ws': async (stage) => {
    const peer = await startPlainWs(stage, { execArgv: [inspectorOption] })
    return { peer, pid: peer.servers[0] ?? 0, output: () => peer.outputs[0]?.() ?? '' }
  },
}

async function footprint(
  setting: Setting,
  start: (stage: Stage) => Promise<Inspected>,
  count: number,
): Promise<Sample> {
  const stage = new Stage()
  await setting.stage.add(() => stage.close())
  try {
    const { peer, pid, output } = await start(stage)
    const swarm = await startSwarm(stage)
    const channels = Array.from({ length: 100 }, (_, index) => [`idle-${index}`])
    const open = (sockets: number) =>
      openSockets(swarm, peer, { count: sockets, concurrency: 32, channels })
    await open(warmUpCount(count))
    await swarm.ask({ do: 'drop' })
    const inspector = inspectorUrl(output())
    const before = await memoryAfterGc(inspector)
    await open(count)
    await sleep(setting.quick ? 0 : settleMs)
    const resident = await residentBytes(pid)
    const after = await memoryAfterGc(inspector)
    const perSocket = (bytes: number) => bytes / count / 1000
    const grown = (key: keyof Memory) => perSocket(after[key] - before[key])
    return {
      resident: perSocket(resident - before.rss),
      collected: grown('rss'),
      heap: grown('heap'),
    }
  } finally {
    await stage.close()
  }
}

/** Enough to compile the code and to grow the young generation. */
const warmUpCount = (count: number) => Math.round(count / 10)
