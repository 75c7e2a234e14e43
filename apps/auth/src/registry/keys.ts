import { partitionTag } from '@portcullis/redis'
import type { AuditKind } from './audit/record.js'

/** Names of all keys that auth keeps in Redis, under one prefix. */
export type KeyNames = ReturnType<typeof keyNames>

/**
 * Names every key. All keys of a partition carry its hash tag, so that a script that takes only
 * keys of one partition stays in one slot of a Cluster; their slots are spread evenly. What belongs
 * to no partition lies in a slot of its own, which does not depend on how many there are.
 */
export function keyNames(prefix: string, partitions = 1) {
  const tags = Array.from({ length: partitions }, (_, index) =>
    partitionTag(prefix, index, partitions),
  )
  const at = (partition: number, name: string) => `{${tags[partition]}}:${name}`
  return {
    /** Hash: `partitions`, fixed when the registry was created. */
    meta: `{${prefix}:0}:meta`,
    /** Hash: signing keys by `kid`, and `current`. */
    signingKeys: `{${prefix}:0}:signing-keys`,
    /** Hash: `next`, and by `created:<kid>` and the like the ms at which a key became what it is. */
    signingKeyStates: `{${prefix}:0}:signing-key-states`,
    /** Hash, node -> instance and feed connection that is open now. */
    connected: `{${prefix}:0}:connected`,
    /** First part of the counters of requests and failures, each of which has a slot of its own. */
    limits: `${prefix}:limits:`,
    /** Hash, id -> JSON: who gets security events. */
    eventReceivers: `{${prefix}:0}:event-receivers`,
    /** Hash: how far a receiver's queue has come in the feed, counts, the last failure. */
    eventProgress: (id: string) => `{${prefix}:0}:event-progress:${id}`,
    /** Sorted set: the `jti` of a receiver's queued events, in the order in which they were queued. */
    eventQueue: (id: string) => `{${prefix}:0}:event-queue:${id}`,
    /** Hash, `jti` -> JSON: the same events. */
    queuedEvents: (id: string) => `{${prefix}:0}:queued-events:${id}`,
    /** String, expires: the auth process that pushes to the receiver. */
    eventPusher: (id: string) => `{${prefix}:0}:event-pusher:${id}`,
    /** Channel on which each acknowledgement publishes the id of its revocation. */
    acknowledgements: `${prefix}:acknowledgements`,
    /** Channel on which an instance asks the nodes of all instances. */
    inquiries: `${prefix}:inquiries`,
    /** Channel on which each answer publishes the id of its inquiry. */
    answers: `${prefix}:answers`,
    /** List: the nodes' answers to an inquiry; expires soon. */
    inquiry: (id: string) => `{${prefix}:0}:inquiry:${id}`,
    /** Channel on which each commit says that a feed has grown. */
    news: `${prefix}:news`,
    /** Channel on which each append says that the audit log has grown. */
    auditNews: `${prefix}:audit-news`,

    /** Channel on which each change of the signing keys is told. */
    keyNews: `${prefix}:key-news`,
    /** Set: kids of signing keys that were revoked; nothing that they signed is active. */
    revokedKeys: (partition: number) => at(partition, 'revoked-keys'),

    /** String: the last microsecond that the partition gave to anything. */
    clock: (partition: number) => at(partition, 'clock'),
    /**
     * Hash: state, scopes, tokenTtlSeconds, labels, createdUs, jwks and client as JSON,
     * registrationToken (SHA-256 in hex), jwksCeiling and registrationCeiling: scopes that these are good
     * for at most, empty for all; nodes. The last six are missing in older registries.
     */
    identity: (partition: number, identity: string) => at(partition, `identity:${identity}`),
    /**
     * Hash: SHA-256 of a registration code, in hex -> `id createdAt expiresAt`, and the scopes that it is
     * good for at most behind it, where it was made by somebody without `admin`.
     */
    codes: (partition: number, identity: string) => at(partition, `codes:${identity}`),
    /** Set: the same hashes of an administrator's codes that were removed or have expired. */
    removedCodes: (partition: number, identity: string) =>
      at(partition, `removed-codes:${identity}`),
    /** Hash: count, untilMs: wrong codes of an identity from an address, by the hash of both. */
    wrongCodes: (partition: number, guesser: string) => at(partition, `wrong-codes:${guesser}`),
    /** Sorted set, all scores 0: the names of the partition's identities. */
    identities: (partition: number) => at(partition, 'identities'),
    /** Hash: one issued token; expires with it. */
    token: (partition: number, jti: string) => at(partition, `token:${jti}`),
    /** Sorted set, all scores 0: the identity's tokens by what selects them; see `token-index.ts`. */
    index: (partition: number, identity: string) => at(partition, `index:${identity}`),
    /** Sorted set: the same tokens by the millisecond of their expiry, to prune the one above. */
    expiring: (partition: number, identity: string) => at(partition, `expiring:${identity}`),
    /** Sorted set: `*`, `s:<subject>`, `l:<label>`, `p:<jti>` -> tokens issued up to here are revoked. */
    cutoffs: (partition: number, identity: string) => at(partition, `cutoffs:${identity}`),
    /** String: every token of the partition issued up to here is revoked. */
    cutoffAll: (partition: number) => at(partition, 'cutoff-all'),
    /** Stream: the partition's revocations, ids `<sequence>-<microsecond>`. */
    feed: (partition: number) => at(partition, 'feed'),
    /** Hash, node -> `instance sinceUs identity url`: the process that has the name now. */
    nodes: (partition: number) => at(partition, 'node-names'),
    /** Hash, `<instance>:<node>` -> `renewedUs fenceMs fencedUs`: whom revocations wait for. */
    leases: (partition: number) => at(partition, 'leases'),
    /** String: mark of the Redis that knows every node of the partition (lua/lease.lua). */
    roster: (partition: number) => at(partition, 'roster'),
    /** Sorted set, all scores 0, `<instance>:<node>|<microsecond>|<id>`: parts not acknowledged. */
    pending: (partition: number) => at(partition, 'pending'),
    /** Sorted set: the same members by microsecond, to forget them with their receipts. */
    pendingTimes: (partition: number) => at(partition, 'pending-times'),
    /** Hash: what a revocation was, how far it is acknowledged. */
    receipt: (partition: number, id: string) => at(partition, `receipt:${id}`),
    /** Sorted set: the partition's receipts by microsecond. */
    receipts: (partition: number) => at(partition, 'receipts'),
    /** Stream: the partition's audit entries of one kind, ids `<microsecond>-0`. */
    audit: (partition: number, kind: AuditKind) => at(partition, `audit:${kind}`),
    /** String: a JWT of the identity's own, by SHA-256 of its `jti`, that was used; expires. */
    usedJwt: (partition: number, identity: string, hash: string) =>
      at(partition, `used-jwt:${identity}:${hash}`),
  }
}
