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

/** Claims of a JWT whose signature holds. */
export interface TokenClaims {
  jti: string
  client_id: string
  /** The key that signed it; absent where the registry is asked about a token that nobody showed. */
  kid?: string
}

/** What the registry says of a token that is active now. */
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

/** A token's place in the caller's list. */
interface Asked {
  index: number
  claims: TokenClaims
}

/**
 * Asks the registry about many tokens in one round trip; answers in the same order. A token is
 * active when it is known, issued to this `client_id`, not expired, not revoked, nor the key that
 * signed it, and its identity exists and is active; for any other the answer is undefined and does
 * not say why.
 */
export async function introspect(
  registry: Registry,
  claims: readonly TokenClaims[],
): Promise<(ActiveRecord | undefined)[]> {
  const byPartition = new Map<number, Asked[]>()
  for (const [index, claim] of claims.entries()) {
    const partition = partitionOfId(claim.jti, registry.partitions)
    // An id of another partition than the identity's was not issued to it.
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
