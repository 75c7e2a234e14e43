import { defined } from '@portcullis/contracts/defined'
import { RedisSettings, type RegistryServer } from '@portcullis/contracts/registry'
import { isCluster, type Redis } from '@portcullis/redis'
import type { Registry } from './registry.js'

const settingNames = Object.keys(RedisSettings.properties)

/**
 * Returns settings, facts and clock of each Redis of the registry (on a Cluster, of each primary).
 * Leaves out what Redis does not answer, or does not allow its user to read.
 */
export async function inspectServers({
  redis,
}: Pick<Registry, 'redis'>): Promise<{ cluster: boolean; servers: RegistryServer[] }> {
  if (!isCluster(redis)) {
    return { cluster: false, servers: [await inspect(redis)] }
  }
  const servers = redis.nodes('master').map(async (each) => ({
    server: `${each.options.host}:${each.options.port}`,
    ...(await inspect(each)),
  }))
  const inspected = await Promise.all(servers)
  return { cluster: true, servers: inspected.sort((a, b) => (a.server < b.server ? -1 : 1)) }
}

async function inspect(redis: Redis): Promise<RegistryServer> {
  const [clock, info, settings] = await Promise.all([
    orNothing(clockOf(redis)),
    orNothing(redis.info()),
    orNothing(settingsOf(redis)),
  ])
  if (clock === undefined && info === undefined) {
    return { answers: false }
  }
  return {
    answers: true,
    ...clock,
    ...(info === undefined ? {} : factsIn(info)),
    ...defined({ settings }),
  }
}

/** An ACL or a hosting provider often forbids `CONFIG` and `INFO`. */
function orNothing<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  return asked.catch(() => undefined)
}

async function clockOf(
  redis: Redis,
): Promise<Pick<RegistryServer, 'clockOffsetMs' | 'roundTripMs'>> {
  const before = performance.now()
  // Not `timeOrigin`: the wall clock may have been set since.
  const asked = Date.now()
  const [seconds, microseconds] = (await redis.time()).map(Number)
  const roundTripMs = performance.now() - before
  const there = (seconds ?? 0) * 1000 + (microseconds ?? 0) / 1000
  return {
    clockOffsetMs: tenths(there - asked - roundTripMs / 2),
    roundTripMs: tenths(roundTripMs),
  }
}

async function settingsOf(redis: Redis): Promise<RedisSettings> {
  const [first = '', ...more] = settingNames
  const flat = (await redis.config('GET', first, ...more)) as string[]
  return Object.fromEntries(
    flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : [])),
  )
}

function factsIn(info: string): Omit<RegistryServer, 'answers'> {
  const facts = new Map(
    info.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(':')
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : []
    }),
  )
  const version = facts.get('redis_version')
  const role = facts.get('role')
  const numbers = {
    replicas: facts.get('connected_slaves'),
    usedMemory: facts.get('used_memory'),
    maxMemory: facts.get('maxmemory'),
    systemMemory: facts.get('total_system_memory'),
  }
  const lastWrite = facts.get('aof_last_write_status')
  return {
    ...defined({ version, role }),
    ...Object.fromEntries(
      Object.entries(numbers).flatMap(([name, text]) =>
        text === undefined ? [] : [[name, Number(text)]],
      ),
    ),
    ...defined({ lastWrite }),
  }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10
}
