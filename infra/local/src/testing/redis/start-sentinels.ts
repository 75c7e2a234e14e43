import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Teardown } from '../teardown.js'
import { eventually, type RedisServer, startServer } from './server.js'

/** When a master without replies counts as down, in milliseconds. */
const downAfterMs = 1000
const name = 'portcullis'
const sentinelCount = 3
const quorum = 2

export interface SentinelsOptions {
  /** Number of replicas. Default 1. */
  replicas?: 1 | 2
  /** More settings of each server: `['--min-replicas-to-write', '1']`. */
  settings?: readonly string[]
}

/** A master with replicas, watched by three Sentinels. */
export interface SentinelRedis {
  /** `redis+sentinel://…`, with every Sentinel. */
  readonly url: string
  /** The first master, then its replicas. */
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]
  /** Resolves to the master that all Sentinels name. */
  master(): Promise<RedisServer>
  /** Resolves when the Sentinels name another master, and it accepts writes. */
  promoted(instead: RedisServer): Promise<RedisServer>
}

/** Starts the servers. Resolves when each Sentinel knows the others and all replicas. */
export async function startSentinels(
  t: Teardown,
  { replicas = 1, settings = [] }: SentinelsOptions = {},
): Promise<SentinelRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-sentinels-'))
  const servers: RedisServer[] = []
  const sentinels: RedisServer[] = []
  t.teardown(async () => {
    await Promise.all([...sentinels, ...servers].map((server) => server.stop()))
    rmSync(dir, { recursive: true, force: true })
  })
  const common = [
    ...['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'],
    ...['--repl-ping-replica-period', '1', ...settings],
  ]
  for (let index = 0; index <= replicas; index += 1) {
    const [master] = servers
    const of = master === undefined ? [] : ['--replicaof', `${master.host} ${master.port}`]
    const args = () => [...common, ...of]
    servers.push(await startServer({ dir: join(dir, `${index}`), args }))
  }
  const [first] = servers
  if (first === undefined) {
    throw new Error('there is a master')
  }
  for (const { redis } of servers.slice(1)) {
    await eventually('a replica is in sync', async () =>
      (await redis.info('replication')).includes('master_link_status:up'),
    )
  }
  for (let index = 0; index < sentinelCount; index += 1) {
    sentinels.push(await startSentinel(dir, index, first))
  }
  await Promise.all(
    sentinels.map(({ redis }) =>
      eventually('the Sentinels know each other', async () => {
        const fields = await redis.call('SENTINEL', 'MASTER', name)
        const known = new Map(pairs(fields))
        return (
          known.get('num-other-sentinels') === `${sentinelCount - 1}` &&
          known.get('num-slaves') === `${replicas}`
        )
      }),
    ),
  )
  const master = (instead?: RedisServer) =>
    eventually('the Sentinels agree on a master', async () => {
      const ports = await Promise.all(
        sentinels.map(async ({ redis }) => {
          const address = await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
          return Array.isArray(address) ? Number(address[1]) : undefined
        }),
      )
      const found = servers.find(({ port }) => ports.every((one) => one === port))
      if (found === undefined || found === instead) {
        return undefined
      }
      return (await found.redis.info('replication')).includes('role:master') ? found : undefined
    })
  const hosts = sentinels.map(({ host, port }) => `${host}:${port}`).join(',')
  return {
    url: `redis+sentinel://${hosts}/${name}`,
    servers,
    sentinels,
    master,
    promoted: master,
  }
}

function startSentinel(dir: string, index: number, master: RedisServer): Promise<RedisServer> {
  const home = join(dir, `sentinel-${index}`)
  // A Sentinel rewrites its configuration, so the file must exist.
  const file = join(dir, `sentinel-${index}.conf`)
  return startServer({
    dir: home,
    args(port) {
      writeFileSync(
        file,
        [
          `port ${port}`,
          `sentinel monitor ${name} ${master.host} ${master.port} ${quorum}`,
          `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
          // Also the minimum time between two failovers.
          `sentinel failover-timeout ${name} ${3 * downAfterMs}`,
          '',
        ].join('\n'),
      )
      return [file, '--sentinel']
    },
  })
}

function pairs(flat: unknown): [string, string][] {
  const list: [string, string][] = []
  if (Array.isArray(flat)) {
    for (let i = 0; i + 1 < flat.length; i += 2) {
      list.push([String(flat[i]), String(flat[i + 1])])
    }
  }
  return list
}
