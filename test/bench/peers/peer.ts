import { defined } from '@portcullis/contracts/defined'
import type { Swarm } from '../clients/start-swarm.js'
import type { OpenCall } from '../clients/swarm-calls.js'
import type { Column, Sample } from '../figure.js'
import { cpuWhile } from '../measure/cpu.js'

/** A system of servers that sockets connect to, as a figure sees it. */
export interface Peer {
  name: string
  /** Processes whose CPU counts as the servers'. Empty when it cannot be read. */
  servers: readonly number[]
  redis?: number
  /** One URL for each node. */
  urls: readonly string[]
  protocol: OpenCall['protocol']
  /** Returns tokens for the upgrades of `count` sockets. */
  tokens?(count: number): Promise<string[]>
  /** Token for the `connect` command of every socket. */
  connectToken?: string
  /** The server API: one HTTP base URL for each node. */
  api?: { urls: readonly string[]; headers: Readonly<Record<string, string>> }
}

export interface Sockets {
  count: number
  concurrency: number
  /** Connects all to this node. Default: to all nodes in turn. */
  node?: number
  channels?: readonly (readonly string[])[]
}

/** Returns the call that opens sockets to the peer; tokens are issued first. */
export async function openCall(
  { protocol, urls, tokens, connectToken }: Peer,
  { count, concurrency, node, channels }: Sockets,
): Promise<OpenCall> {
  return {
    do: 'open',
    protocol,
    urls: node === undefined ? urls : urls.slice(node, node + 1),
    count,
    concurrency,
    ...defined({ channels, connectToken, tokens: await tokens?.(count) }),
  }
}

/** Opens sockets to the peer. */
export async function openSockets(swarm: Swarm, peer: Peer, sockets: Sockets): Promise<void> {
  await swarm.ask(await openCall(peer, sockets))
}

/**
 * Returns the CPU of the peer's servers and of its Redis while `work` ran, and the time that it took, in
 * microseconds per unit.
 */
export async function costOf(
  { servers, redis }: Pick<Peer, 'servers' | 'redis'>,
  units: number,
  work: () => Promise<void>,
): Promise<Sample> {
  let time = 0
  const pids = redis === undefined ? servers : [...servers, redis]
  const used = await cpuWhile(pids, async () => {
    const start = performance.now()
    await work()
    time = (performance.now() - start) * 1000
  })
  const cpu = used.slice(0, servers.length).reduce((sum, one) => sum + one, 0)
  return {
    time: time / units,
    ...(servers.length === 0 ? {} : { cpu: cpu / units }),
    ...(redis === undefined ? {} : { redis: (used.at(-1) ?? Number.NaN) / units }),
  }
}

/** Columns of a case that compares the CPU of servers. */
export const cpuColumns: readonly Column[] = [
  { key: 'cpu', title: 'CPU µs', digits: 1 },
  { key: 'redis', title: 'Redis µs', digits: 1 },
  { key: 'time', title: 'time µs', digits: 1 },
]
