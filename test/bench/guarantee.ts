import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Benchmark } from './benchmark.js'
import { spreadChannel } from './clients/dialects.js'
import { type Swarm, startSwarm } from './clients/start-swarm.js'
import { monotonicMs } from './clients/swarm-calls.js'
import { type Backend, type Installation, startInstallation } from './installation.js'
import { cpuMicroseconds } from './measure/cpu.js'
import { percentile } from './measure/statistics.js'

const nodes = 2
/** Publications per second, each to one hundredth of the sockets of each node. */
const publishedPerSecond = 40
/** Number of revoked tokens used again after each receipt. */
const reusedTokens = 20
const idleMs = 10_000

/** Result of one revocation during traffic. */
interface Found {
  /** Milliseconds from the API call to each client's close frame. */
  closed: number[]
  /** Upgrades with a revoked token that were admitted after the complete receipt. */
  falseAccepts: number
  /** Bytes of publications, sent after the complete receipt, that reached a covered socket. */
  bytesAfter: number
}

/** Speed and completeness of revocations on busy nodes. */
export const guarantee: Benchmark = async ({ stage, quick, progress }) => {
  const perNode = quick ? 60 : 5000
  const ofOneIdentity = quick ? 20 : 2500
  const single = quick ? 2 : 40
  progress('starting the servers')
  const installation = await startInstallation(stage, { nodes })
  const swarms = await Promise.all(installation.realtime.map(() => startSwarm(stage)))
  const idle = await idlePercent(installation, quick ? 1000 : idleMs)

  progress(`opening ${nodes * perNode} sockets`)
  const big = await installation.newIdentity()
  const many = await installation.newIdentity()
  const tokens = await openAll(installation, swarms, { big, many, perNode, ofOneIdentity })
  const traffic = startTraffic(installation)
  await stage.add(async () => {
    await traffic.stop()
  })
  const trial: Trial = { installation, swarms, traffic, tokens, lastIndex: perNode - 1 }

  const rows: { name: string; found: Found[] }[] = []
  const one: Found[] = []
  for (let n = 0; n < single; n += 1) {
    progress(`one token, ${n + 1} of ${single}`)
    const index = ofOneIdentity + n
    one.push(await revokeOne(trial, n % nodes, index, {}))
  }
  rows.push({ name: 'one token', found: one })

  const during: Found[] = []
  const restarts = quick ? 1 : 5
  for (let n = 0; n < restarts; n += 1) {
    progress(`one token during a Redis restart, ${n + 1} of ${restarts}`)
    const index = ofOneIdentity + single + n
    during.push(await revokeOne(trial, n % nodes, index, { restart: true }))
  }
  rows.push({ name: 'one token, Redis killed and restarted', found: during })

  progress(`an identity with ${nodes * ofOneIdentity} sockets`)
  const whole = await revoke(trial, { identity: big.identity }, { from: 0, to: ofOneIdentity })
  rows.push({ name: `an identity with ${nodes * ofOneIdentity} sockets`, found: [whole] })
  const published = await traffic.stop()

  return {
    name: 'guarantee',
    title: `Revocation while messages flow: ${nodes} nodes, ${nodes * perNode} sockets`,
    columns: [
      { key: 'sockets', title: 'sockets closed', digits: 0 },
      { key: 'p50Ms', title: 'p50 ms', digits: 1 },
      { key: 'p99Ms', title: 'p99 ms', digits: 1 },
      { key: 'maxMs', title: 'max ms', digits: 1 },
      { key: 'falseAccepts', title: 'false accepts', digits: 0 },
      { key: 'bytesAfter', title: 'bytes after', digits: 0 },
    ],
    rows: rows.map(({ name, found }) => {
      const closed = found.flatMap((each) => each.closed)
      return {
        name,
        figures: {
          sockets: closed.length,
          p50Ms: percentile(closed, 50),
          p99Ms: percentile(closed, 99),
          maxMs: percentile(closed, 100),
          falseAccepts: found.reduce((sum, each) => sum + each.falseAccepts, 0),
          bytesAfter: found.reduce((sum, each) => sum + each.bytesAfter, 0),
        },
      }
    }),
    conditions: [
      'From sending POST /v1/revocations until each client has read its close frame (4500), on the clock of this one machine.',
      `Meanwhile ${published.perSecond.toFixed(0)} publications a second enter through the server API, each for one of 100 channels that share the sockets.`,
      'False accepts: upgrades with a revoked token, tried after the complete receipt, that were admitted.',
      'Bytes after: of publications made after the complete receipt was in hand, that reached a covered socket.',
      'During a restart: Redis is killed, and the call repeated until auth takes it; the time counts from the first call.',
      `An idle node, with its feed and lease and no revocation, used ${idle.toFixed(3)} % of one core over ${(quick ? 1000 : idleMs) / 1000} s.`,
      'Clients, publisher, nodes, auth and Redis share the cores of this machine.',
    ],
  }
}

interface Trial {
  installation: Installation
  swarms: readonly Swarm[]
  traffic: Traffic
  /** By node and index of the socket. */
  tokens: readonly string[][]
  /** Index of a socket on each node that is never revoked. */
  lastIndex: number
}

/** Opens the sockets: on each node first those of `big`, then those of `many`. */
async function openAll(
  { realtime }: Installation,
  swarms: readonly Swarm[],
  plan: { big: Backend; many: Backend; perNode: number; ofOneIdentity: number },
): Promise<string[][]> {
  const all: string[][] = []
  for (const [index, swarm] of swarms.entries()) {
    const tokens = [
      ...(await plan.big.tokens(plan.ofOneIdentity)),
      ...(await plan.many.tokens(plan.perNode - plan.ofOneIdentity)),
    ]
    await swarm.ask({
      do: 'open',
      url: realtime[index]?.wsUrl ?? '',
      dialect: 'spread',
      count: plan.perNode,
      concurrency: 32,
      tokens,
    })
    all.push(tokens)
  }
  return all
}

async function revokeOne(
  trial: Trial,
  node: number,
  index: number,
  { restart = false }: { restart?: boolean },
): Promise<Found> {
  const token = trial.tokens[node]?.[index] ?? ''
  return revoke(trial, { token }, { from: index, to: index + 1, node, restart })
}

async function revoke(
  { installation, swarms, traffic, tokens, lastIndex }: Trial,
  selector: object,
  covered: { from: number; to: number; node?: number; restart?: boolean },
): Promise<Found> {
  const { from, to, node, restart = false } = covered
  const of = swarms.flatMap((swarm, index) => ((node ?? index) === index ? [{ swarm, index }] : []))
  const closings = of.map(({ swarm }) => swarm.ask({ do: 'closed', from, to, withinMs: 60_000 }))
  if (restart) {
    void installation.redis.restart()
  }
  const start = monotonicMs()
  const receipt = await revokeUntilConfirmed(installation, { ...selector, wait: 30_000 })
  if (receipt['complete'] !== true) {
    throw new Error('the receipt is not complete')
  }
  const last = traffic.published
  const answers = await Promise.all(closings)
  // When the live sockets have received later publications, covered ones would have received them too.
  const reached = await traffic.oneOfEach(last)
  await Promise.all(
    swarms.map((swarm) => swarm.ask({ do: 'reached', index: lastIndex, number: reached })),
  )
  let bytesAfter = 0
  for (const { swarm } of of) {
    const { highest = 0 } = await swarm.ask({ do: 'highest', from, to })
    if (highest > last) {
      bytesAfter += (highest - last) * traffic.bytes
    }
  }
  const shown = of.flatMap(
    ({ index }) => tokens[index]?.slice(from, to).slice(0, reusedTokens) ?? [],
  )
  const admitted = await Promise.all(
    shown.map((token, n) => isAdmitted(installation.realtime[n % nodes]?.wsUrl ?? '', token)),
  )
  return {
    closed: answers.flatMap(({ closings: found }) => {
      const others = Object.keys(found?.codes ?? {}).filter((code) => code !== '4500')
      if (others.length > 0) {
        throw new Error(`sockets closed with ${others.join(', ')}`)
      }
      return (found?.at ?? []).map((at) => at - start)
    }),
    falseAccepts: admitted.filter(Boolean).length,
    bytesAfter,
  }
}

/** Retries while auth refuses because Redis is away; nothing was committed then. */
async function revokeUntilConfirmed(
  { api }: Installation,
  body: object,
): Promise<Record<string, unknown>> {
  const deadline = monotonicMs() + 30_000
  for (;;) {
    try {
      return await api('/v1/revocations', body)
    } catch (error) {
      if (monotonicMs() > deadline) {
        throw error
      }
    }
  }
}

async function isAdmitted(url: string, token: string): Promise<boolean> {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } })
  socket.on('error', () => undefined)
  const opened = once(socket, 'open').then(
    () => true,
    () => false,
  )
  const refused = new Promise<boolean>((resolve) => {
    socket.once('unexpected-response', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
  const admitted = await Promise.race([opened, refused])
  socket.terminate()
  return admitted
}

interface Traffic {
  /** Number of the last publication that was sent. */
  readonly published: number
  /** Size of one publication. */
  readonly bytes: number
  /** Resolves when each channel had a publication after this number; returns the number to wait for. */
  oneOfEach(after: number): Promise<number>
  /** Safe to call twice. */
  stop(): Promise<{ perSecond: number }>
}

/** Publishes at a steady rate through all nodes and into all channels in turn. */
function startTraffic({ publish }: Installation): Traffic {
  let published = 0
  let confirmed = 0
  const waiting = new Set<() => void>()
  const began = monotonicMs()
  let perSecond: number | undefined
  const timer = setInterval(() => {
    const number = ++published
    publish(number % nodes, spreadChannel(number), { bench: number })
      // While Redis is away nothing is delivered, which the benchmark does not count.
      .catch(() => undefined)
      .then(() => {
        confirmed = Math.max(confirmed, number)
        for (const wake of waiting) {
          wake()
        }
      })
  }, 1000 / publishedPerSecond)
  return {
    get published() {
      return published
    },
    bytes: '{"bench":1}'.length,
    async oneOfEach(after) {
      // One publication for each of 100 channels; the watched socket is in one of them.
      const wanted = after + 100
      while (confirmed < wanted) {
        await new Promise<void>((resolve) => {
          waiting.add(resolve)
        })
        waiting.clear()
      }
      return after + 1
    },
    async stop() {
      clearInterval(timer)
      perSecond ??= published / ((monotonicMs() - began) / 1000)
      return { perSecond }
    },
  }
}

/** Returns the CPU of an idle node, for feed and lease, in percent of a core. */
async function idlePercent({ realtime }: Installation, ms: number): Promise<number> {
  const pid = realtime[0]?.pid ?? 0
  const before = await cpuMicroseconds(pid)
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ((await cpuMicroseconds(pid)) - before) / (ms * 10)
}
