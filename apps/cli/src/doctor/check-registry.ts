import type { RedisSettings, RegistryReport, RegistryServer } from '@portcullis/contracts/registry'
import { type Check, failed, ok, warning } from './check.js'
import { checkClock } from './check-clock.js'

const leastVersion = 7

/** Whether the registry's Redis is set as the revocation guarantee needs it: docs/guarantee.md#redis. */
export function checkRegistry(report: RegistryReport): Check[] {
  return report.servers.flatMap((server) => checkServer(server, report))
}

function checkServer(server: RegistryServer, report: RegistryReport): Check[] {
  const name = server.server === undefined ? 'redis' : `redis ${server.server}`
  if (!server.answers) {
    return [failed(name, 'does not answer auth', 'start it, or wait for the failover to end')]
  }
  const problems = [
    ...aboutServer(name, server),
    ...(server.settings === undefined
      ? [
          warning(
            name,
            'its settings may not be read',
            'let auth’s Redis user call CONFIG GET, or compare them by hand: docs/guarantee.md#redis',
          ),
        ]
      : [
          ...aboutDisk(name, server.settings),
          ...aboutEviction(name, server.settings),
          ...aboutReplicas(name, server, server.settings, report),
          ...aboutCluster(name, server.settings, report),
        ]),
  ]
  const { clockOffsetMs: ms, roundTripMs } = server
  const clock =
    ms === undefined || roundTripMs === undefined
      ? []
      : [checkClock(`${name} clock`, name, { ms, uncertaintyMs: roundTripMs / 2 })]
  const version = `Redis ${server.version ?? 'of unknown version'}`
  const good = ok(name, `${version}, set as the guarantee needs it`)
  return [
    ...(problems.length === 0 ? [good] : problems),
    ...aboutMemory(`${name} memory`, server),
    ...clock,
  ]
}

/** Shares of the limit from which memory is worth a word, and from which something has to be done. */
const memoryShares = { warning: 0.75, failed: 0.95 }
/** Without a limit: Redis also needs memory to rewrite its append-only file. */
const maxShareOfSystem = 0.5

function aboutMemory(
  name: string,
  { usedMemory: used, maxMemory: max = 0, systemMemory: system }: RegistryServer,
): Check[] {
  if (used === undefined) {
    return []
  }
  const advice =
    'raise maxmemory, or have fewer tokens: shorter lifetimes, a lower MAX_TOKENS_PER_IDENTITY'
  if (max > 0) {
    const share = used / max
    const found = `${bytes(used)} of ${bytes(max)} (maxmemory)`
    const effect = 'when it is full Redis refuses every write, revocations too'
    if (share >= memoryShares.failed) {
      return [failed(name, `${found}: ${effect}`, advice)]
    }
    if (share >= memoryShares.warning) {
      return [warning(name, `${found}: ${effect}`, advice)]
    }
    return [ok(name, found)]
  }
  if (system === undefined) {
    return [ok(name, `${bytes(used)}, no maxmemory`)]
  }
  const found = `${bytes(used)} of the machine's ${bytes(system)}, no maxmemory`
  if (used < system * maxShareOfSystem) {
    return [ok(name, found)]
  }
  return [
    warning(
      name,
      `${found}: a machine without memory kills Redis`,
      `give it more memory, or set maxmemory, and have fewer tokens: shorter lifetimes, a lower MAX_TOKENS_PER_IDENTITY`,
    ),
  ]
}

function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const exponent = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1)
  const value = count / 1000 ** exponent
  return `${value < 10 && exponent > 0 ? value.toFixed(1) : Math.round(value)} ${units[exponent]}`
}

function aboutServer(name: string, { version, role, lastWrite }: RegistryServer): Check[] {
  const checks: Check[] = []
  if (version !== undefined && Number.parseInt(version, 10) < leastVersion) {
    const advice = `use Redis ${leastVersion} or newer, or Valkey`
    checks.push(failed(name, `is of version ${version}`, advice))
  }
  if (role !== undefined && role !== 'master') {
    checks.push(failed(name, `is a ${role}`, 'let REDIS_URL name the primary, or Sentinels'))
  }
  if (lastWrite !== undefined && lastWrite !== 'ok') {
    const advice = 'look at its log and its disk: it cannot write its append-only file'
    checks.push(failed(name, `aof_last_write_status ${lastWrite}`, advice))
  }
  return checks
}

function aboutDisk(name: string, { appendonly, appendfsync }: RedisSettings): Check[] {
  if (appendonly === 'no') {
    const found = 'appendonly no: a restart forgets revocations, and tokens'
    return [failed(name, found, 'set appendonly yes, appendfsync always')]
  }
  if (appendonly === undefined || appendfsync === undefined || appendfsync === 'always') {
    return []
  }
  const lost = appendfsync === 'everysec' ? 'up to two seconds' : 'half a minute or more'
  const found = `appendfsync ${appendfsync}: a power cut takes ${lost} of revocations back`
  const verdict = appendfsync === 'everysec' ? warning : failed
  return [verdict(name, found, 'set appendfsync always')]
}

function aboutEviction(
  name: string,
  { maxmemory, 'maxmemory-policy': policy }: RedisSettings,
): Check[] {
  if (policy === undefined || policy === 'noeviction') {
    return []
  }
  const found = `maxmemory-policy ${policy}: an evicted cut-off makes revoked tokens active again`
  const advice = 'set maxmemory-policy noeviction'
  // Without a limit nothing is evicted; somebody may set one.
  return [(maxmemory === '0' ? warning : failed)(name, found, advice)]
}

function aboutReplicas(
  name: string,
  { replicas = 0 }: RegistryServer,
  settings: RedisSettings,
  { revocationReplicas: asked, cluster }: RegistryReport,
): Check[] {
  const checks: Check[] = []
  if (asked > replicas) {
    const found = `revocations wait for ${asked} replicas (REVOCATION_REPLICAS), and ${replicas} are connected`
    checks.push(failed(name, found, 'start the replicas, or ask for fewer'))
  }
  if (replicas === 0) {
    return checks
  }
  const least = Number(settings['min-replicas-to-write'] ?? Number.NaN)
  const lagMs = Number(settings['min-replicas-max-lag'] ?? Number.NaN) * 1000
  const timeoutMs = cluster ? Number(settings['cluster-node-timeout'] ?? Number.NaN) : Number.NaN
  if (least === 0 || lagMs === 0) {
    const found =
      'min-replicas-to-write 0: a primary that is cut off goes on taking writes, and renewing leases'
    const advice =
      'set min-replicas-to-write 1 and a min-replicas-max-lag shorter than the failover takes to begin'
    checks.push(failed(name, found, advice))
  } else if (lagMs >= timeoutMs) {
    const found = `min-replicas-max-lag ${lagMs / 1000} s is not shorter than cluster-node-timeout ${timeoutMs} ms`
    checks.push(
      failed(name, found, 'set it shorter: two primaries could take writes at the same time'),
    )
  } else if (replicas <= least) {
    const found = `${replicas} replicas, and writes need ${least}: one that is promoted has none, and refuses writes`
    checks.push(warning(name, found, `have ${least + 1} replicas for each primary`))
  }
  return checks
}

function aboutCluster(
  name: string,
  settings: RedisSettings,
  { cluster, leaseMs }: RegistryReport,
): Check[] {
  if (!cluster) {
    return []
  }
  const checks: Check[] = []
  const timeoutMs = Number(settings['cluster-node-timeout'] ?? Number.NaN)
  if (timeoutMs >= leaseMs / 3) {
    const found = `cluster-node-timeout ${timeoutMs} ms: nodes hold their connections during a failover`
    const advice = `set it below ${Math.floor(leaseMs / 3)} ms, a third of LEASE_MS`
    checks.push(warning(name, found, advice))
  }
  if (settings['cluster-require-full-coverage'] === 'no') {
    const found = 'cluster-require-full-coverage no'
    checks.push(warning(name, found, 'set it to yes, as it is by default'))
  }
  return checks
}
