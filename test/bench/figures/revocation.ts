import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Swarm } from '../clients/start-swarm.js'
import { type Closings, monotonicMs } from '../clients/swarm-calls.js'
import type { Figure, Sample, Side } from '../figure.js'
import { percentile } from '../measure/statistics.js'
import { type Audience, openAudience } from './audience.js'
import {
  givenDisconnecting,
  portcullisRevoking,
  type Revoking,
  socketIoDisconnecting,
} from './revoking.js'
import { startTraffic } from './traffic.js'

const nodes = 2
/** Publications per second, each to one hundredth of the sockets. */
const publishedPerSecond = 40

/** Time from the call that revokes to the close of the sockets, while messages flow. */
export const revocation: Figure = async (setting) => {
  const { stage, quick, against, progress } = setting
  const perNode = quick ? 60 : 5000
  const ofIdentity = quick ? 40 : 5000
  const singles = quick ? 2 : 8
  const ways = [
    await portcullisRevoking(stage, nodes),
    await socketIoDisconnecting(stage, nodes),
    ...givenDisconnecting(against),
  ]
  const one: Side[] = []
  const all: Side[] = []
  const times = new Map<string, number[]>()
  for (const way of ways) {
    const { name } = way.peer
    progress(`opening ${nodes * perNode} sockets: ${name}`)
    const audience = await openAudience(stage, way, { nodes, perNode })
    const found: number[] = []
    times.set(name, found)
    one.push({
      name,
      run: async () => {
        const took = await revokeSome(way, audience, singles)
        found.push(...took)
        return { time: percentile(took, 50) }
      },
    })
    if (way.endAll !== undefined) {
      all.push({ name, run: () => revokeAll(way, audience, ofIdentity) })
    }
  }
  return {
    title: `Revocation: from the call to the closed socket, ${nodes * perNode} sockets on ${nodes} nodes`,
    columns: [
      { key: 'time', title: 'last close ms', digits: 1 },
      { key: 'p50', title: 'p50 ms', digits: 1 },
      { key: 'p99', title: 'p99 ms', digits: 1 },
    ],
    cases: [
      { name: 'one token', sides: one },
      { name: `an identity with ${ofIdentity} sockets`, sides: all },
    ],
    rounds: 3,
    warmUp: 1,
    conditions: [
      'From sending the call until the client has read its close frame, on the clock of this one machine, whose cores clients and servers share.',
      `Meanwhile ${publishedPerSecond} publications a second enter through the server API, each for one of 100 channels that share the sockets.`,
      `One token: ${singles} sockets a round, one after another; the figure is their median. An identity: ${ofIdentity} more sockets, each with a token of its own.`,
      'Portcullis: POST /v1/revocations; checked in each round: no covered token was admitted and no covered socket received a publication after the complete receipt. socket.io: disconnectSockets through its Redis adapter, which confirms nothing.',
    ],
    notes: () =>
      [...times].map(
        ([name, found]) =>
          `One token, ${name}: p50 ${percentile(found, 50).toFixed(1)} ms, p99 ${percentile(found, 99).toFixed(1)} ms of ${found.length}, warm-up included.`,
      ),
  }
}

/** Revokes tokens one after another; returns the milliseconds from each call to its socket's close. */
async function revokeSome(way: Revoking, audience: Audience, count: number): Promise<number[]> {
  const traffic = startTraffic(way.peer.api, publishedPerSecond)
  try {
    const took: number[] = []
    const ended = []
    for (let turn = 0; turn < count; turn += 1) {
      const target = audience.next()
      const { node, index } = target
      const swarm = audience.swarms[node]
      if (swarm === undefined) {
        throw new Error(`no sockets on node ${node}`)
      }
      const closed = swarm.ask({ do: 'closed', from: index, to: index + 1, withinMs: 30_000 })
      const start = monotonicMs()
      await way.endOne(swarm, target)
      ended.push({ ...target, swarm, published: traffic.published })
      took.push((closedAt(await closed, way)[0] ?? Number.NaN) - start)
    }
    if (way.guaranteed) {
      const number = await traffic.oneOfEach()
      await audience.reached(number)
      await Promise.all(ended.map((one) => judge(way, one)))
    }
    return took
  } finally {
    traffic.stop()
  }
}

/** Throws if a revoked token was of any use after its complete receipt. */
async function judge(
  { peer }: Revoking,
  ended: { node: number; index: number; token?: string; swarm: Swarm; published: number },
): Promise<void> {
  const { node, index, token, swarm, published } = ended
  const { highest = 0 } = await swarm.ask({ do: 'highest', from: index, to: index + 1 })
  if (highest > published) {
    throw new Error('a covered socket received a publication after the complete receipt')
  }
  if (token !== undefined && (await isAdmitted(peer.urls[node] ?? '', token))) {
    throw new Error('a revoked token was admitted after the complete receipt')
  }
}

/** Opens the sockets of a new identity and revokes it. */
async function revokeAll(way: Revoking, audience: Audience, sockets: number): Promise<Sample> {
  const group = await audience.openGroup(sockets)
  const traffic = startTraffic(way.peer.api, publishedPerSecond)
  try {
    const closings = group.swarms.map((swarm) =>
      swarm.ask({ do: 'closed', from: 0, to: sockets / nodes, withinMs: 60_000 }),
    )
    const start = monotonicMs()
    await way.endAll?.(group.name)
    const answers = await Promise.all(closings)
    const took = answers.flatMap((answer) => closedAt(answer, way)).map((at) => at - start)
    return {
      time: percentile(took, 100),
      p50: percentile(took, 50),
      p99: percentile(took, 99),
    }
  } finally {
    traffic.stop()
  }
}

function closedAt({ closings }: { closings?: Closings }, { closeCode }: Revoking): number[] {
  const { at = [], codes = {} } = closings ?? {}
  const others = Object.keys(codes).filter(
    (code) => closeCode !== undefined && code !== `${closeCode}`,
  )
  if (others.length > 0) {
    throw new Error(`sockets closed with ${others.join(', ')}`)
  }
  return at
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
