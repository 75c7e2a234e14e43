import { feedEnd } from '../feed/end.js'
import { readFeed } from '../feed/read.js'
import { isEverywhere, partitionOfId } from '../ids.js'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import { readTokens } from '../tokens/record.js'
import { enqueue, type QueueOrder } from './enqueue.js'
import type { QueuedEvent, RevocationNotice } from './queued-event.js'
import type { Receiver } from './record.js'

const eventsPerRead = 100

/** What one call has done to a receiver's queue. */
export interface Queued {
  /** How many of the oldest events were dropped because the queue was full. */
  dropped: number
  /** True when the receiver may have missed events: the feed was trimmed or went backwards. */
  lost: boolean
}

/**
 * Queues the events after the receiver's cursor in the feed. Several instances may do this at once:
 * each event is queued once. Only reads the feed, so no revocation waits for a receiver.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function queueEvents(
  registry: Registry,
  receiver: Receiver,
  maxQueued: number,
): Promise<Queued> {
  const done: Queued = { dropped: 0, lost: false }
  for (;;) {
    const [cursor, lastAll] = await guard(
      registry.redis.hmget(registry.keys.eventProgress(receiver.id), 'cursor', 'lastAll'),
    )
    // The receiver was deleted.
    if (typeof cursor !== 'string') {
      return done
    }
    const read = await readFeed(registry, cursor, eventsPerRead)
    if (read !== 'lost' && read.revocations.length === 0) {
      return done
    }
    const order: QueueOrder =
      read === 'lost'
        ? { move: { from: cursor, to: await feedEnd(registry) }, lost: true, events: [] }
        : {
            move: { from: cursor, to: read.cursor },
            events: await eventsOf(registry, receiver, read.revocations, lastAll ?? undefined),
            lastAll: read.revocations.findLast(({ id }) => isEverywhere(id))?.id,
          }
    const queued = await enqueue(registry, receiver.id, maxQueued, order)
    // Another instance has queued these events; continue from the new cursor.
    if (queued === null) {
      continue
    }
    done.dropped += queued[1]
    done.lost ||= read === 'lost'
  }
}

async function eventsOf(
  registry: Registry,
  { id, identities }: Receiver,
  revocations: readonly RevocationNotice['revocation'][],
  lastAll: string | undefined,
): Promise<QueuedEvent[]> {
  const queuedIds = new Set(lastAll === undefined ? [] : [lastAll])
  const parts = revocations.filter((revocation) => {
    // Every partition has an event for a revocation of everything; queue it once.
    if (!isEverywhere(revocation.id)) {
      return true
    }
    return !queuedIds.has(revocation.id) && queuedIds.add(revocation.id)
  })
  const found = await Promise.all(parts.map((revocation) => noticeOf(registry, revocation)))
  return found
    .filter((what) => what !== undefined)
    .filter((what) => concerns(what, identities))
    .map((what) => ({
      // Derived from the revocation's id, so that every instance and every delivery uses the same
      // jti.
      jti: `${what.revocation.id}.${id}`,
      at: Date.now(),
      what,
    }))
}

/**
 * Adds the reason, which the feed does not carry, and the identity and subject of a single token.
 * Returns undefined for an unlisted revocation.
 */
async function noticeOf(
  registry: Registry,
  revocation: RevocationNotice['revocation'],
): Promise<RevocationNotice | undefined> {
  const { id, selector } = revocation
  const jti = 'jti' in selector ? selector.jti : undefined
  const partition = jti === undefined ? undefined : partitionOfId(jti, registry.partitions)
  const [{ reason, unlisted }, [token]] = await Promise.all([
    readReceipt(registry, id),
    partition === undefined || jti === undefined ? [] : readTokens(registry, partition, [jti]),
  ])
  if (unlisted) {
    return undefined
  }
  return {
    kind: 'revocation',
    revocation,
    ...(reason === '' ? {} : { reason }),
    ...(token === undefined ? {} : { token: { identity: token.identity, subject: token.subject } }),
  }
}

/**
 * Reads the reason from the receipt, for a revocation of everything from that of the first partition,
 * and whether the revocation is unlisted. When the partition is down, an event without a reason.
 */
async function readReceipt(
  { redis, keys, partitions }: Registry,
  id: string,
): Promise<{ reason: string; unlisted: boolean }> {
  const key = keys.receipt(partitionOfId(id, partitions) ?? 0, id)
  const [reason, unlisted] = await redis.hmget(key, 'reason', 'unlisted').catch(() => [])
  return { reason: reason ?? '', unlisted: unlisted === '1' }
}

/**
 * Returns true when the receiver should get the event. An event whose identity is unknown (the
 * registry no longer has the token) goes to every receiver.
 */
function concerns(
  { revocation: { selector }, token }: RevocationNotice,
  identities: readonly string[] | undefined,
): boolean {
  const identity = 'identity' in selector ? selector.identity : token?.identity
  return identities === undefined || identity === undefined || identities.includes(identity)
}
