import type { RedisSettings, RegistryReport, RegistryServer } from '@portcullis/contracts/registry'
import { type Check, failed, ok, warning } from './check.js'
import { checkClock } from './check-clock.js'

const minVersion = 7

/** Checks the settings of the registry's Redis that the guarantee needs: docs/guarantee.md#redis. */
export function checkRegistry(report: RegistryReport): Check[] {
  return report.servers.flatMap((server) => checkServer(server, report))
}

function checkServer(server: RegistryServer, report: RegistryReport): Check[] {
  const name = server.server === undefined ? 'redis' : `redis ${server.server}`
  if (!server.answers) {
    return [failed(name, 'does not respond to auth', 'start it, or wait for the failover to end')]
  }
  const problems = [
    ...checkState(name, server),
    ...(server.settings === undefined
      ? [
          warning(
            name,
            'auth may not read its settings',
            'permit CONFIG GET to the Redis user of auth, or check them by hand: docs/guarantee.md#redis',
          ),
        ]
      : [
          ...checkPersistence(name, server.settings),
          ...checkEviction(name, server.settings),
          ...checkReplicas(name, server, server.settings, report),
          ...checkCluster(name, server.settings, report),
        ]),
  ]
  const { clockOffsetMs: ms, roundTripMs } = server
  const clock =
    ms === undefined || roundTripMs === undefined
      ? []
      : [checkClock(`${name} clock`, name, { ms, uncertaintyMs: roundTripMs / 2 })]
  const version = `Redis ${server.version ?? '(unknown version)'}`
  const good = ok(name, `${version}, configured as the guarantee needs`)
  return [
    ...(problems.length === 0 ? [good] : problems),
    ...checkMemory(`${name} memory`, server),
    ...clock,
  ]
}

/** Shares of `maxmemory` from which the check warns and fails. */
const memoryShares = { warning: 0.75, failed: 0.95 }
/** Without `maxmemory`: Redis needs more memory while it rewrites its append-only file. */
const maxShareOfSystem = 0.5

function checkMemory(
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
    const effect = 'a full Redis refuses every write, including revocations'
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
      `${found}: the system kills Redis when memory runs out`,
      'add memory, or set maxmemory and have fewer tokens: shorter lifetimes, a lower MAX_TOKENS_PER_IDENTITY',
    ),
  ]
}

function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const exponent = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1)
  const value = count / 1000 ** exponent
  return `${value < 10 && exponent > 0 ? value.toFixed(1) : Math.round(value)} ${units[exponent]}`
}

function checkState(name: string, { version, role, lastWrite }: RegistryServer): Check[] {
  const checks: Check[] = []
  if (version !== undefined && Number.parseInt(version, 10) < minVersion) {
    const advice = `use Redis ${minVersion} or newer, or Valkey`
    checks.push(failed(name, `version ${version} is too old`, advice))
  }
  if (role !== undefined && role !== 'master') {
    checks.push(failed(name, `is a ${role}`, 'set REDIS_URL to the primary, or to Sentinels'))
  }
  if (lastWrite !== undefined && lastWrite !== 'ok') {
    const advice = 'check its log and its disk: it cannot write its append-only file'
    checks.push(failed(name, `aof_last_write_status ${lastWrite}`, advice))
  }
  return checks
}

function checkPersistence(name: string, { appendonly, appendfsync }: RedisSettings): Check[] {
  if (appendonly === 'no') {
    const found = 'appendonly no: a restart loses revocations and tokens'
    return [failed(name, found, 'set appendonly yes and appendfsync always')]
  }
  if (appendonly === undefined || appendfsync === undefined || appendfsync === 'always') {
    return []
  }
  const lost = appendfsync === 'everysec' ? 'up to two seconds' : 'half a minute or more'
  const found = `appendfsync ${appendfsync}: a power cut loses ${lost} of revocations`
  const verdict = appendfsync === 'everysec' ? warning : failed
  return [verdict(name, found, 'set appendfsync always')]
}

function checkEviction(
  name: string,
  { maxmemory, 'maxmemory-policy': policy }: RedisSettings,
): Check[] {
  if (policy === undefined || policy === 'noeviction') {
    return []
  }
  const found = `maxmemory-policy ${policy}: an evicted cut-off makes revoked tokens active again`
  const advice = 'set maxmemory-policy noeviction'
  // Without maxmemory nothing is evicted, but it may be set later.
  return [(maxmemory === '0' ? warning : failed)(name, found, advice)]
}

function checkReplicas(
  name: string,
  { replicas = 0 }: RegistryServer,
  settings: RedisSettings,
  { revocationReplicas: asked, cluster }: RegistryReport,
): Check[] {
  const checks: Check[] = []
  if (asked > replicas) {
    const found = `revocations wait for ${asked} replicas (REVOCATION_REPLICAS), but ${replicas} are connected`
    checks.push(failed(name, found, 'start the replicas, or lower REVOCATION_REPLICAS'))
  }
  if (replicas === 0) {
    return checks
  }
  const minReplicas = Number(settings['min-replicas-to-write'] ?? Number.NaN)
  const lagMs = Number(settings['min-replicas-max-lag'] ?? Number.NaN) * 1000
  const timeoutMs = cluster ? Number(settings['cluster-node-timeout'] ?? Number.NaN) : Number.NaN
  if (minReplicas === 0 || lagMs === 0) {
    const found =
      'min-replicas-to-write 0: a primary that is cut off still accepts writes and renews leases'
    const advice =
      'set min-replicas-to-write 1, and min-replicas-max-lag below the time until a failover begins'
    checks.push(failed(name, found, advice))
  } else if (lagMs >= timeoutMs) {
    const found = `min-replicas-max-lag ${lagMs / 1000} s is not shorter than cluster-node-timeout ${timeoutMs} ms`
    checks.push(
      failed(name, found, 'lower it: otherwise two primaries could accept writes at the same time'),
    )
  } else if (replicas <= minReplicas) {
    const found = `${replicas} replicas, but writes need ${minReplicas}: after a failover too few are left, and writes fail`
    checks.push(warning(name, found, `run ${minReplicas + 1} replicas for each primary`))
  }
  return checks
}

function checkCluster(
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
    checks.push(warning(name, found, 'set it to yes, the default'))
  }
  return checks
}
