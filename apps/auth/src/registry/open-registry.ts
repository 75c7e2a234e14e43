import { type Commands, isCluster, script } from '@portcullis/redis'
import { RegistryError } from './errors.js'
import { keyNames } from './keys.js'
import { partitionsOf, type Registry, type WrongCodes } from './registry.js'
import { run } from './run.js'

const open = script<[partitions: string, created: 0 | 1]>(
  new URL('./open-registry.lua', import.meta.url),
)
/** Fewer could not be spread evenly, and one that is not served would take too many with it. */
const leastOnCluster = 16

const openRoster = script<null>(new URL('./open-roster.lua', import.meta.url))

export interface OpenRegistry {
  /** Connected. */
  redis: Commands
  /** First part of every key: several installations may share a Redis. */
  prefix: string
  /**
   * How many partitions to create it with; must be the same ever after. 1 on a standalone Redis, on a
   * Cluster at least `leastOnCluster`.
   */
  partitions: number
  /** Events that the feed of a partition keeps; a node that missed more must check every token. */
  feedMaxLength: number
  receiptTtlSeconds: number
  /** How long a receipt may wait for a node, in milliseconds. */
  leaseMs: number
  /** Default: 5, then a second that doubles up to a minute. */
  wrongCodes?: WrongCodes
  /** Default: no bound. */
  maxTokensPerIdentity?: number
  /** The identity that has to stay an administrator; without it none is kept from anything. */
  administrator?: string
  onSettled?: Registry['onSettled']
}

/**
 * Opens the registry, and creates it when Redis has none under the prefix.
 *
 * @throws RegistryError `partitions_mismatch` when it was created with another number of partitions,
 * `option_invalid`, `registry_unavailable`.
 */
export async function openRegistry(options: OpenRegistry): Promise<Registry> {
  const { redis, prefix, partitions, feedMaxLength, receiptTtlSeconds, leaseMs } = options
  const { wrongCodes = { allowed: 5, waitMs: 1000, maxWaitMs: 60_000 } } = options
  const { maxTokensPerIdentity = Number.MAX_SAFE_INTEGER, administrator, onSettled } = options
  // A brace in the prefix would move the hash tag, and with it the keys of one script apart.
  if (!/^[A-Za-z0-9._:-]{1,64}$/.test(prefix)) {
    throw invalid('prefix', 'must be 1 to 64 letters, digits, ".", "_", ":" or "-"')
  }
  if (!isWhole(partitions, 1, 16_384)) {
    throw invalid('partitions', 'must be 1 to 16384')
  }
  if (!isWhole(feedMaxLength, 1, 1e9)) {
    throw invalid('feedMaxLength', 'must be 1 or more')
  }
  if (!isWhole(receiptTtlSeconds, 1, 1e9)) {
    throw invalid('receiptTtlSeconds', 'must be 1 or more')
  }
  if (!isWhole(leaseMs, 100, 3_600_000)) {
    throw invalid('leaseMs', 'must be 100 to 3600000')
  }
  if (isCluster(redis) && partitions < leastOnCluster) {
    throw invalid(
      'partitions',
      `must be ${leastOnCluster} or more on a Redis Cluster; set PARTITIONS=${leastOnCluster}, it cannot be changed later`,
    )
  }
  const keys = keyNames(prefix, partitions)
  const [stored, isNew] = await run({ redis }, open, [keys.meta], [partitions])
  const created = Number(stored)
  if (created !== partitions) {
    throw new RegistryError(
      'partitions_mismatch',
      `the registry "${prefix}" was created with ${created} partitions, not ${partitions}; set PARTITIONS=${created}, or another REDIS_PREFIX for a new registry`,
    )
  }
  const registry: Registry = {
    redis,
    keys,
    partitions,
    feedMaxLength,
    receiptTtlSeconds,
    leaseMs,
    wrongCodes,
    maxTokensPerIdentity,
    ...(administrator === undefined ? {} : { administrator }),
    ...(onSettled === undefined ? {} : { onSettled }),
  }
  if (isNew === 1) {
    const opened = partitionsOf(registry).map((partition) =>
      run(registry, openRoster, [keys.roster(partition)], []),
    )
    await Promise.all(opened)
  }
  return registry
}

function isWhole(value: number, minimum: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= minimum && value <= maximum
}

function invalid(option: string, rule: string): RegistryError {
  return new RegistryError('option_invalid', `${option} ${rule}`)
}
