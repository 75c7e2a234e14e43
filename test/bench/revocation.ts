import type { Benchmark } from './benchmark.js'
import { type Swarm, startSwarm } from './clients/start-swarm.js'
import { type Closings, monotonicMs } from './clients/swarm-calls.js'
import { type Installation, startInstallation } from './installation.js'
import { alternate } from './measure/rounds.js'
import { median, percentile } from './measure/statistics.js'

/** Times from the API call, in milliseconds. */
interface Revocation {
  /** To each client's close frame. */
  closed: number[]
  /** To the complete receipt. */
  receiptAnswer: number
  /** From the receipt: commit to acknowledgement of the slowest node. */
  receipt: number
}

const revoked = '4500'
const nodes = 2

/** Time from an API call that revokes an identity to the close of its sockets on every node. */
export const revocation: Benchmark = async ({ stage, quick, progress }) => {
  const sockets = quick ? 200 : 2000
  const rounds = quick ? 1 : 10
  progress('starting the servers')
  const installation = await startInstallation(stage, { nodes })
  const swarms = await Promise.all(installation.realtime.map(() => startSwarm(stage)))
  const run = (count: number) => () => revokeOnce(installation, swarms, count)
  const cases = [
    { name: `${sockets} sockets of one identity, ${nodes} nodes`, run: run(sockets) },
    { name: `${nodes} sockets of one identity, ${nodes} nodes`, run: run(nodes) },
  ]
  const figures = await alternate(cases, rounds, progress)

  return {
    name: 'revocation',
    title: 'Revocation: from the API call to the closed socket',
    columns: [
      { key: 'p50Ms', title: 'p50 ms', digits: 1 },
      { key: 'p99Ms', title: 'p99 ms', digits: 1 },
      { key: 'maxMs', title: 'max ms', digits: 1 },
      { key: 'worstMs', title: 'worst round ms', digits: 1 },
      { key: 'receiptAnswerMs', title: 'receipt in hand ms', digits: 1 },
      { key: 'receiptMs', title: 'ms in receipt', digits: 1 },
    ],
    rows: [...figures].map(([name, revocations]) => ({
      name,
      figures: {
        p50Ms: median(revocations.map(({ closed }) => percentile(closed, 50))),
        p99Ms: median(revocations.map(({ closed }) => percentile(closed, 99))),
        maxMs: median(revocations.map(({ closed }) => percentile(closed, 100))),
        worstMs: Math.max(...revocations.map(({ closed }) => percentile(closed, 100))),
        receiptAnswerMs: median(revocations.map(({ receiptAnswer }) => receiptAnswer)),
        receiptMs: median(revocations.map(({ receipt }) => receipt)),
      },
    })),
    conditions: [
      'From sending POST /v1/revocations {identity, wait} until each client has read its close frame (4500), on the clock of this one machine.',
      'Receipt in hand: until the call has answered with complete: true. In receipt: commit to acknowledgement, slowest node, on the registry’s clock.',
      `Each socket with a token of its own, half of them on each node. p50, p99, max: median over ${rounds} rounds after one warm-up round.`,
      'Clients, nodes, auth and Redis share the cores of this machine.',
    ],
  }
}

async function revokeOnce(
  { realtime, api, newIdentity }: Installation,
  swarms: readonly Swarm[],
  sockets: number,
): Promise<Revocation> {
  // A new identity in each round: the number of earlier tokens must not affect the result.
  const { identity, tokens } = await newIdentity()
  const count = sockets / nodes
  for (const [index, swarm] of swarms.entries()) {
    const url = realtime[index]?.wsUrl ?? ''
    const shown = await tokens(count)
    await swarm.ask({
      do: 'open',
      url,
      dialect: 'connected',
      count,
      concurrency: 32,
      tokens: shown,
    })
  }
  const closings = swarms.map((swarm) => swarm.ask({ do: 'closings', withinMs: 30_000 }))
  const start = monotonicMs()
  const receipt = await api('/v1/revocations', { identity, wait: 30_000 })
  const receiptAnswer = monotonicMs() - start
  const answers = await Promise.all(closings)
  return {
    closed: answers.flatMap(({ closings }) => closedAfter(start, closings)),
    receiptAnswer,
    receipt: slowestNodeMs(receipt),
  }
}

function closedAfter(start: number, closings: Closings | undefined): number[] {
  if (closings === undefined) {
    throw new Error('the clients reported no closes')
  }
  const others = Object.keys(closings.codes).filter((code) => code !== revoked)
  if (others.length > 0) {
    throw new Error(`sockets closed with ${others.join(', ')}`)
  }
  return closings.at.map((at) => at - start)
}

function slowestNodeMs({ complete, nodes: acks }: Record<string, unknown>): number {
  if (complete !== true || !Array.isArray(acks)) {
    throw new Error('the receipt is not complete')
  }
  return Math.max(...acks.map(({ ms }: { ms?: number }) => ms ?? Number.NaN))
}
