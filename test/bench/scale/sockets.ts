import { setTimeout as sleep } from 'node:timers/promises'
import type { Setting } from '../benchmark.js'
import { type Swarm, startSwarm } from '../clients/start-swarm.js'
import { monotonicMs } from '../clients/swarm-calls.js'
import { type Installation, startInstallation } from '../installation.js'
import { cpuWhile } from '../measure/cpu.js'
import { inspectorOption, inspectorUrl, memoryAfterGc } from '../measure/inspector.js'
import { socketsPerProcess } from '../measure/machine.js'
import { alternate } from '../measure/rounds.js'
import { median, percentile } from '../measure/statistics.js'
import type { Result } from '../report/result.js'
import { Stage } from '../stage.js'

interface Figures {
  /** Bytes per socket. */
  rss: number
  heap: number
  /** Microseconds of CPU per second: with idle sockets (pings only), and without sockets. */
  idle: number
  empty: number
  /** Milliseconds from the call to the socket's close frame. */
  revocations: number[]
}

/** Number of client processes, which share the sockets. */
const swarms = 2

/** Memory, idle CPU and revocation time of a node with many sockets. */
export async function sockets(setting: Setting): Promise<Result> {
  const { quick, progress } = setting
  const wanted = quick ? 1000 : 15_000
  const max = Math.floor((await socketsPerProcess(wanted)) / swarms) * swarms
  const sizes = [Math.round(max / 10 / swarms) * swarms, max]
  const rounds = quick ? 1 : 2
  const contenders = sizes.map((count) => ({
    name: `${count} sockets`,
    run: () => carry(setting, count),
  }))
  const figures = await alternate(contenders, rounds, progress, { warmUp: false })
  return {
    name: 'scale-sockets',
    title: 'Growing in sockets: one node',
    columns: [
      { key: 'rssKb', title: 'RSS kB a socket', digits: 1 },
      { key: 'heapKb', title: 'heap kB a socket', digits: 1 },
      { key: 'idlePercent', title: 'idle, % of a core', digits: 2 },
      { key: 'emptyPercent', title: 'the same without sockets', digits: 2 },
      { key: 'idleUs', title: 'idle µs a socket and second', digits: 2 },
      { key: 'revokedP50Ms', title: 'one revoked: p50 ms', digits: 1 },
      { key: 'revokedMaxMs', title: 'max ms', digits: 1 },
    ],
    rows: [...figures].map(([name, found], at) => {
      const of = (pick: (figures: Figures) => number) => median(found.map(pick))
      const revocations = found.flatMap((one) => one.revocations)
      return {
        name,
        figures: {
          rssKb: of(({ rss }) => rss) / 1000,
          heapKb: of(({ heap }) => heap) / 1000,
          idlePercent: of(({ idle }) => idle) / 1e4,
          emptyPercent: of(({ empty }) => empty) / 1e4,
          idleUs: of(({ idle, empty }) => idle - empty) / (sizes[at] ?? Number.NaN),
          revokedP50Ms: percentile(revocations, 50),
          revokedMaxMs: percentile(revocations, 100),
        },
      }
    }),
    conditions: [
      'Each socket connected, in one of 100 channels, with a token of its own; a ping every 25 s, nothing else.',
      'Memory: (with the sockets - with none) / sockets, each after two full garbage collections; the node alone.',
      `Idle: CPU of the node over ${idleMs(quick) / 1000} s, in which every socket is pinged${quick ? ' or not: --quick' : ''}.`,
      `One revoked: from POST /v1/revocations {token} until that client has read its close frame, ${tries(quick)} times a round.`,
      `Median of ${rounds} alternating rounds, each with new processes.`,
      ...(max < wanted
        ? [`Only ${max}: the limit of open files (ulimit -Hn) allows no ${wanted}.`]
        : []),
    ],
  }
}

/** Slightly more than one ping interval. */
const idleMs = (quick: boolean) => (quick ? 1000 : 26_000)
const tries = (quick: boolean) => (quick ? 3 : 20)

async function carry(setting: Setting, count: number): Promise<Figures> {
  const stage = new Stage()
  await setting.stage.add(() => stage.close())
  try {
    const installation = await startInstallation(stage, {
      nodes: 1,
      realtimeEnv: { NODE_OPTIONS: inspectorOption },
    })
    return await measure(setting, stage, installation, count)
  } finally {
    await stage.close()
  }
}

async function measure(
  { quick }: Setting,
  stage: Stage,
  installation: Installation,
  count: number,
): Promise<Figures> {
  const [node] = installation.realtime
  if (node === undefined) {
    throw new Error('no realtime node')
  }
  const { tokens } = await installation.newIdentity()
  const open = async (swarm: Swarm, share: number): Promise<string[]> => {
    const shown = await tokens(share)
    await swarm.ask({
      do: 'open',
      url: node.wsUrl,
      dialect: 'spread',
      count: share,
      concurrency: 32,
      tokens: shown,
    })
    return shown
  }
  const idle = async () => {
    const [used = 0] = await cpuWhile([node.pid], () => sleep(idleMs(quick)))
    return used / (idleMs(quick) / 1000)
  }
  const crowd = await Promise.all(Array.from({ length: swarms }, () => startSwarm(stage)))
  const [first] = crowd
  if (first === undefined) {
    throw new Error('no clients')
  }
  // Warm-up: compiles the code and grows the young generation.
  await open(first, Math.round(count / 10))
  await first.ask({ do: 'drop' })
  const empty = await idle()
  const inspector = inspectorUrl(node.output())
  const before = await memoryAfterGc(inspector)
  let shown: string[] = []
  for (const swarm of [...crowd].reverse()) {
    shown = await open(swarm, count / swarms)
  }
  const after = await memoryAfterGc(inspector)
  return {
    rss: (after.rss - before.rss) / count,
    heap: (after.heap - before.heap) / count,
    empty,
    idle: await idle(),
    revocations: await revokeSome(installation, first, shown.slice(0, tries(quick))),
  }
}

/** Revokes the tokens of the first sockets, one after another; returns the times in milliseconds. */
async function revokeSome(
  { api }: Installation,
  swarm: Swarm,
  tokens: readonly string[],
): Promise<number[]> {
  const took: number[] = []
  for (const [from, token] of tokens.entries()) {
    const closed = swarm.ask({ do: 'closed', from, to: from + 1, withinMs: 30_000 })
    const start = monotonicMs()
    await api('/v1/revocations', { token, wait: 30_000 })
    const { closings } = await closed
    if (closings?.codes['4500'] !== 1) {
      throw new Error('the socket was not closed with 4500')
    }
    took.push((closings.at[0] ?? Number.NaN) - start)
  }
  return took
}
