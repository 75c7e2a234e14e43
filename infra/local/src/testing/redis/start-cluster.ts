import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { slotCount } from '@portcullis/redis'
import type { Teardown } from '../teardown.js'
import { eventually, type RedisServer, startServer } from './server.js'

/** When a node without replies counts as failed, in milliseconds. */
const nodeTimeoutMs = 1000

export interface ClusterOptions {
  /** Number of masters: at least 3, so that a majority remains. Default 3. */
  masters?: number
  /** Number of replicas of each master. Default 0. */
  replicas?: 0 | 1 | 2
  /** More settings of each server: `['--min-replicas-to-write', '1']`. */
  settings?: readonly string[]
}

/** A Redis Cluster of a test. */
export interface RedisCluster {
  /** `redis+cluster://…`, with every server. */
  readonly url: string
  /** The masters, then their replicas in the same order. */
  readonly servers: readonly RedisServer[]
  /** Resolves to the current master of the slot. */
  masterOf(slot: number): Promise<RedisServer>
  /** Resolves when another server is master of the slot, and all running servers agree. */
  promoted(slot: number, instead: RedisServer): Promise<RedisServer>
  /** Resolves when all running servers agree that all slots are served, and by which masters. */
  settled(): Promise<void>
  /** Moves a slot with its keys to another master. Resolves when all servers agree. */
  moveSlot(slot: number, to: RedisServer): Promise<void>
  /** Begins a move: keys may be on either master; new keys are on the new one. */
  beginMove(slot: number, to: RedisServer): Promise<{ finish(): Promise<void> }>
}

/** Starts a Cluster. Resolves when all servers agree on the slots. Stops it in teardown. */
export async function startCluster(
  t: Teardown,
  { masters = 3, replicas = 0, settings = [] }: ClusterOptions = {},
): Promise<RedisCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-cluster-'))
  const servers: RedisServer[] = []
  t.teardown(async () => {
    await Promise.all(servers.map((server) => server.stop()))
    rmSync(dir, { recursive: true, force: true })
  })
  const args = [
    ...['--cluster-enabled', 'yes', '--cluster-node-timeout', `${nodeTimeoutMs}`],
    // Let a replica be promoted even if it lost its master a while ago: tests kill masters.
    ...['--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0'],
    ...['--repl-ping-replica-period', '1', '--save', '', '--appendonly', 'no', ...settings],
  ]
  // In sequence: two servers that start at once might get the same port.
  for (let index = 0; index < masters * (1 + replicas); index += 1) {
    servers.push(await startServer({ dir: join(dir, `${index}`), args: () => args, bus: true }))
  }
  await create(servers, masters)
  const cluster = handle(servers)
  await cluster.settled()
  return cluster
}

/** Assigns equal shares of slots, joins the servers, and assigns replicas to masters. */
async function create(servers: readonly RedisServer[], masters: number): Promise<void> {
  const [first] = servers
  if (first === undefined) {
    throw new Error('a Cluster has servers')
  }
  await Promise.all(
    servers.map(async ({ redis }, index) => {
      // Distinct epochs, because masters with equal ones conflict and lose slots.
      await redis.cluster('SET-CONFIG-EPOCH', index + 1)
      if (index >= masters) {
        return
      }
      const from = Math.round((index * slotCount) / masters)
      const to = Math.round(((index + 1) * slotCount) / masters) - 1
      await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
    }),
  )
  for (const { redis } of servers.slice(1)) {
    await redis.cluster('MEET', first.host, first.port)
  }
  await Promise.all(
    servers.slice(masters).map(async ({ redis }, index) => {
      const master = servers[index % masters]
      const id = (await master?.redis.cluster('MYID')) ?? ''
      await eventually('a replica knows its master', async () => {
        await redis.cluster('REPLICATE', id)
        return true
      })
      await eventually('a replica is in sync', async () =>
        (await redis.info('replication')).includes('master_link_status:up'),
      )
    }),
  )
}

function handle(servers: readonly RedisServer[]): RedisCluster {
  /** Returns the masters' slots if all running servers agree and report a healthy Cluster. */
  const agreedMasters = async () => {
    const views = await Promise.all(
      servers
        .filter((server) => server.running)
        .map(async ({ redis }) => {
          const info = String(await redis.cluster('INFO'))
          return info.includes('cluster_state:ok') ? mapOf(await redis.cluster('SLOTS')) : undefined
        }),
    )
    const [first] = views
    if (
      first === undefined ||
      views.some((view) => JSON.stringify(view) !== JSON.stringify(first))
    ) {
      return undefined
    }
    return first
  }
  /** Like `eventually`, with each server's view in the error. */
  const agreed = <Answer>(what: string, ask: () => Promise<Answer | undefined | false>) =>
    eventually(what, ask, () => told(servers))
  const masterOf = (slot: number, instead?: RedisServer) =>
    agreed(`slot ${slot} has a master`, async () => {
      const map = await agreedMasters()
      const port = map?.find(({ from, to }) => from <= slot && slot <= to)?.port
      return servers.find((server) => server.port === port && server !== instead)
    })
  const settled = async () => {
    await agreed('the Cluster is whole', async () => {
      const map = await agreedMasters()
      const served = (map ?? []).reduce((sum, { from, to }) => sum + to - from + 1, 0)
      return served === slotCount
    })
  }
  const beginMove = async (slot: number, to: RedisServer) => {
    const from = await masterOf(slot)
    const ids = {
      from: String(await from.redis.cluster('MYID')),
      to: String(await to.redis.cluster('MYID')),
    }
    await to.redis.cluster('SETSLOT', slot, 'IMPORTING', ids.from)
    await from.redis.cluster('SETSLOT', slot, 'MIGRATING', ids.to)
    return {
      async finish() {
        for (;;) {
          const keys = await from.redis.cluster('GETKEYSINSLOT', slot, 100)
          if (!Array.isArray(keys) || keys.length === 0) {
            break
          }
          const names = keys.map(String)
          await from.redis.call('MIGRATE', to.host, to.port, '', 0, 5000, 'KEYS', ...names)
        }
        // The new master first, because the old one redirects clients to it.
        for (const { redis } of [to, from]) {
          await redis.cluster('SETSLOT', slot, 'NODE', ids.to)
        }
        await agreed(`all know that slot ${slot} has moved`, async () => {
          const map = await agreedMasters()
          return map?.some((one) => one.port === to.port && one.from <= slot && slot <= one.to)
        })
      },
    }
  }
  return {
    url: `redis+cluster://${servers.map(({ host, port }) => `${host}:${port}`).join(',')}`,
    servers,
    masterOf,
    promoted: masterOf,
    settled,
    beginMove,
    moveSlot: async (slot, to) => (await beginMove(slot, to)).finish(),
  }
}

/** Returns each running server's view of the Cluster, for an error. */
function told(servers: readonly RedisServer[]): Promise<string[]> {
  return Promise.all(
    servers.map(async ({ port, running, redis }) => {
      if (!running) {
        return `${port} does not run`
      }
      const says = async () => `${await redis.cluster('INFO')}${await redis.cluster('NODES')}`
      return `${port}: ${await says().catch(String)}`
    }),
  )
}

interface Range {
  from: number
  to: number
  /** The master's port. */
  port: number
}

/** Parses CLUSTER SLOTS: `[from, to, [host, port, …] of the master, … of replicas]` for each range. */
function mapOf(reply: unknown): Range[] {
  if (!Array.isArray(reply)) {
    return []
  }
  return reply
    .map(([from, to, master]) => ({ from: Number(from), to: Number(to), port: Number(master[1]) }))
    .sort((a, b) => a.from - b.from)
}
