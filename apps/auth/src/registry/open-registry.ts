import { defined } from '@portcullis/contracts/defined'
import { type Commands, isCluster, script } from '@portcullis/redis'
import { RegistryError } from './errors.js'
import { keyNames } from './keys.js'
import { partitionsOf, type Registry, type WrongCodes } from './registry.js'
import { run } from './run.js'

const open = script<[partitions: string, created: 0 | 1]>(
  new URL('./open-registry.lua', import.meta.url),
)
/**
 * Fewer partitions cannot be spread evenly, and one that is down would affect too many identities.
 */
const minOnCluster = 16

const openRoster = script<null>(new URL('./open-roster.lua', import.meta.url))

export interface OpenRegistry {
  /** Must be connected. */
  redis: Commands
  /** First part of every key, so that several installations can share a Redis. */
  prefix: string
  /**
   * The number of partitions to create the registry with; it can never change. 1 on a standalone
   * Redis, at least `minOnCluster` on a Cluster.
   */
  partitions: number
  /**
   * Events that the feed of a partition keeps. A node that missed more introspects every token
   * again.
   */
  feedMaxLength: number
  receiptTtlSeconds: number
  /** The longest time that a receipt waits for a node, in milliseconds. */
  leaseMs: number
  /** Default: 5 wrong codes, then a wait of a second that doubles up to a minute. */
  wrongCodes?: WrongCodes
  /** Default: unlimited. */
  maxTokensPerIdentity?: number
  /** The identity that must remain an administrator. Default: none. */
  administrator?: string
  onSettled?: Registry['onSettled']
}

/**
 * Opens the registry, and creates it when Redis has none under the prefix.
 *
 * @throws RegistryError `partitions_mismatch` when it was created with another number of
 * partitions, `option_invalid`, `registry_unavailable`
 */
export async function openRegistry(options: OpenRegistry): Promise<Registry> {
  const { redis, prefix, partitions, feedMaxLength, receiptTtlSeconds, leaseMs } = options
  const { wrongCodes = { allowed: 5, waitMs: 1000, maxWaitMs: 60_000 } } = options
  const { maxTokensPerIdentity = Number.MAX_SAFE_INTEGER, administrator, onSettled } = options
  // A brace in the prefix would become the hash tag, and put the keys of one script in different
  // slots.
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
  if (isCluster(redis) && partitions < minOnCluster) {
    throw invalid(
      'partitions',
      `must be ${minOnCluster} or more on a Redis Cluster; set PARTITIONS=${minOnCluster}, it cannot be changed later`,
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
    ...defined({ administrator, onSettled }),
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
