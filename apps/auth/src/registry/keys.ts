import { partitionTag } from '@portcullis/redis'

/**
 * Audit entries are kept in four streams, each with its own length limit: anonymous attempts cannot push
 * out the refusals of known callers, and neither these nor issued tokens push out what administrators did.
 */
export const auditKinds = ['acts', 'issues', 'refusals', 'attempts'] as const
export type AuditKind = (typeof auditKinds)[number]

/** The names of all keys that auth keeps in Redis. */
export type KeyNames = ReturnType<typeof keyNames>

/** The name of a key of a partition, with the partition's hash tag. */
type PartitionKey = (partition: number, name: string) => string

/**
 * Names every key. All keys of a partition carry its hash tag, so that a script that takes keys of
 * one partition stays in one slot of a Cluster. The slots of the partitions are spread evenly. Keys
 * that belong to no partition share a slot, or each have one, whatever the number of partitions.
 */
export function keyNames(prefix: string, partitions = 1) {
  const tags = Array.from({ length: partitions }, (_, index) =>
    partitionTag(prefix, index, partitions),
  )
  const at: PartitionKey = (partition, name) => `{${tags[partition]}}:${name}`
  return {
    ...installationKeys(prefix),
    ...identityKeys(at),
    ...tokenKeys(at),
    ...revocationKeys(at),
  }
}

/** Keys that belong to no partition. */
function installationKeys(prefix: string) {
  return {
    /** Hash: `partitions`, fixed when the registry was created. */
    meta: `{${prefix}:0}:meta`,
    /** Hash: signing keys by `kid`, and `current`, the kid of the current key. */
    signingKeys: `{${prefix}:0}:signing-keys`,
    /**
     * Hash: `next`, the kid of the next key; `created:<kid>`, `activated:<kid>`, `retired:<kid>`,
     * `revoked:<kid>` in Unix ms.
     */
    signingKeyStates: `{${prefix}:0}:signing-key-states`,
    /** Hash, node -> instance and id of the open feed connection. */
    connected: `{${prefix}:0}:connected`,
    /** Prefix of the counters of requests and failures; each counter has its own slot. */
    limits: `${prefix}:limits:`,
    /** Hash, id -> JSON: receivers of security events. */
    eventReceivers: `{${prefix}:0}:event-receivers`,
    /** Hash: a receiver's cursor in the feed, counts, and last failure. */
    eventProgress: (id: string) => `{${prefix}:0}:event-progress:${id}`,
    /**
     * Sorted set: the `jti` of a receiver's queued events, in the order in which they were queued.
     */
    eventQueue: (id: string) => `{${prefix}:0}:event-queue:${id}`,
    /** Hash, `jti` -> JSON: the queued events. */
    queuedEvents: (id: string) => `{${prefix}:0}:queued-events:${id}`,
    /** String, expires: the auth process that pushes to the receiver. */
    eventPusher: (id: string) => `{${prefix}:0}:event-pusher:${id}`,
    /** Channel: each acknowledgement publishes the id of its revocation. */
    acknowledgements: `${prefix}:acknowledgements`,
    /** Channel: an auth instance asks the nodes of all instances. */
    inquiries: `${prefix}:inquiries`,
    /** Channel: each answer publishes the id of its inquiry. */
    answers: `${prefix}:answers`,
    /** List, expires: the nodes' answers to an inquiry. */
    inquiry: (id: string) => `{${prefix}:0}:inquiry:${id}`,
    /** Channel: each commit announces that a feed has grown. */
    news: `${prefix}:news`,
    /** Channel: each append announces that the audit log has grown. */
    auditNews: `${prefix}:audit-news`,

    /** Channel: announces each change of the signing keys. */
    keyNews: `${prefix}:key-news`,
  }
}

/** Identities and their credentials. */
function identityKeys(at: PartitionKey) {
  return {
    /**
     * Hash: state, scopes, tokenTtlSeconds, labels, createdUs, jwks and client (JSON),
     * registrationToken (SHA-256, hex), jwksCeiling and registrationCeiling (scopes that bound
     * these proofs; empty for no bound), nodes.
     */
    identity: (partition: number, identity: string) => at(partition, `identity:${identity}`),
    /**
     * Hash, SHA-256 of a registration code (hex) -> `id createdAt expiresAt`, then the scopes of
     * its ceiling if it was made by a caller without `admin`.
     */
    codes: (partition: number, identity: string) => at(partition, `codes:${identity}`),
    /** Set: hashes of an administrator's codes that were removed or have expired. */
    removedCodes: (partition: number, identity: string) =>
      at(partition, `removed-codes:${identity}`),
    /** Hash: count and untilMs of wrong codes, by the hash of identity and address. */
    wrongCodes: (partition: number, hash: string) => at(partition, `wrong-codes:${hash}`),
    /** Sorted set, all scores 0: the names of the partition's identities. */
    identities: (partition: number) => at(partition, 'identities'),
    /** String, expires: a client assertion that was used, by the SHA-256 of its `jti`. */
    usedJwt: (partition: number, identity: string, hash: string) =>
      at(partition, `used-jwt:${identity}:${hash}`),
  }
}

/** The partition's clock, tokens and cut-offs. */
function tokenKeys(at: PartitionKey) {
  return {
    /** Set: kids of revoked signing keys. No token that they sign is recorded. */
    revokedKeys: (partition: number) => at(partition, 'revoked-keys'),
    /** String: the last microsecond that the partition has used. */
    clock: (partition: number) => at(partition, 'clock'),
    /** Hash: an issued token; expires with it. */
    token: (partition: number, jti: string) => at(partition, `token:${jti}`),
    /**
     * Sorted set, all scores 0: the identity's tokens by the members that select them; see
     * `inventory/token-index.ts`.
     */
    index: (partition: number, identity: string) => at(partition, `index:${identity}`),
    /** Sorted set: the same tokens by the millisecond of their expiry, to prune the index. */
    expiring: (partition: number, identity: string) => at(partition, `expiring:${identity}`),
    /**
     * Sorted set: `*`, `s:<subject>`, `l:<label>`, `p:<jti>` -> microsecond; tokens issued up to it
     * are revoked.
     */
    cutoffs: (partition: number, identity: string) => at(partition, `cutoffs:${identity}`),
    /** String: every token of the partition issued up to this microsecond is revoked. */
    cutoffAll: (partition: number) => at(partition, 'cutoff-all'),
  }
}

/** The feed, the processes that revocations wait for, receipts, and the audit log. */
function revocationKeys(at: PartitionKey) {
  return {
    /** Stream: the partition's revocations, ids `<sequence>-<microsecond>`. */
    feed: (partition: number) => at(partition, 'feed'),
    /** Hash, node -> `instance sinceUs identity url` of the process that has the name. */
    nodes: (partition: number) => at(partition, 'node-names'),
    /**
     * Hash, `<instance>:<node>` -> `renewedUs fenceMs fencedUs`: the processes that revocations
     * wait for (lua/lease.lua).
     */
    leases: (partition: number) => at(partition, 'leases'),
    /** String: mark of the Redis that knows every process of the partition (lua/lease.lua). */
    roster: (partition: number) => at(partition, 'roster'),
    /**
     * Sorted set, all scores 0: `<instance>:<node>|<microsecond>|<id>` for each part of a receipt
     * that is not acknowledged.
     */
    pending: (partition: number) => at(partition, 'pending'),
    /** Sorted set: the same members by microsecond, to remove them with their receipts. */
    pendingTimes: (partition: number) => at(partition, 'pending-times'),
    /** Hash: a revocation and the state of its parts. */
    receipt: (partition: number, id: string) => at(partition, `receipt:${id}`),
    /** Sorted set: the partition's receipts by microsecond. */
    receipts: (partition: number) => at(partition, 'receipts'),
    /** Stream: the partition's audit entries of one kind, ids `<microsecond>-0`. */
    audit: (partition: number, kind: AuditKind) => at(partition, `audit:${kind}`),
  }
}
