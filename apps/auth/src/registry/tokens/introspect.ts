import { script } from '@portcullis/redis'
import { words } from '../identities/record.js'
import { partitionOf, partitionOfId } from '../ids.js'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

type ActiveReply = [
  issuedUs: string,
  subject: string,
  scope: string,
  labels: string,
  expiresAt: string,
  parents: string,
]

const check = script<(ActiveReply | null)[]>(new URL('./introspect.lua', import.meta.url))

/** Claims of a JWT whose signature was verified. */
export interface TokenClaims {
  jti: string
  client_id: string
  /** The key that signed the token; absent when the registry is asked by token id. */
  kid?: string
}

/** The registry's record of a token that is active. */
export interface ActiveRecord {
  /** Microseconds on the partition's clock. */
  issuedUs: number
  subject: string
  scopes: string[]
  labels: string[]
  parents: string[]
  /** Unix milliseconds. */
  expiresAt: number
}

/** A token and its index in the caller's list. */
interface Asked {
  index: number
  claims: TokenClaims
}

/**
 * Checks many tokens in one round trip, and returns the answers in the same order. A token is
 * active when it is known, was issued to this `client_id`, has not expired, neither it nor its
 * signing key is revoked, and its identity is active. For any other token the answer is undefined,
 * without a reason.
 */
export async function introspect(
  registry: Registry,
  claims: readonly TokenClaims[],
): Promise<(ActiveRecord | undefined)[]> {
  const byPartition = new Map<number, Asked[]>()
  for (const [index, claim] of claims.entries()) {
    const partition = partitionOfId(claim.jti, registry.partitions)
    // A token is always in the partition of its identity.
    if (
      partition === undefined ||
      partition !== partitionOf(claim.client_id, registry.partitions)
    ) {
      continue
    }
    const asked = byPartition.get(partition)
    if (asked === undefined) {
      byPartition.set(partition, [{ index, claims: claim }])
    } else {
      asked.push({ index, claims: claim })
    }
  }

  const answers = new Array<ActiveRecord | undefined>(claims.length).fill(undefined)
  await Promise.all(
    [...byPartition].map(async ([partition, asked]) => {
      const replies = await checkPartition(registry, partition, asked)
      for (const [position, { index }] of asked.entries()) {
        answers[index] = activeOf(replies[position])
      }
    }),
  )
  return answers
}

function checkPartition(registry: Registry, partition: number, asked: readonly Asked[]) {
  const { keys } = registry
  const names = [keys.cutoffAll(partition), keys.revokedKeys(partition)]
  for (const { claims } of asked) {
    names.push(
      keys.token(partition, claims.jti),
      keys.identity(partition, claims.client_id),
      keys.cutoffs(partition, claims.client_id),
    )
  }
  return run(
    registry,
    check,
    names,
    asked.flatMap(({ claims }) => [claims.client_id, claims.kid ?? '']),
  )
}

function activeOf(reply: ActiveReply | null | undefined): ActiveRecord | undefined {
  if (reply === null || reply === undefined) {
    return undefined
  }
  const [issuedUs, subject, scope, labels, expiresAt, parents] = reply
  return {
    issuedUs: Number(issuedUs),
    subject,
    scopes: words(scope),
    labels: words(labels),
    parents: words(parents),
    expiresAt: Number(expiresAt),
  }
}
