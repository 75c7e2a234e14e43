import { feedEnd } from '../feed/end.js'
import { readFeed } from '../feed/read.js'
import { isEverywhere, partitionOfId } from '../ids.js'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import { readTokens } from '../tokens/record.js'
import { enqueue, type QueueOrder } from './enqueue.js'
import type { QueuedEvent, RevocationToTell } from './queued-event.js'
import type { Receiver } from './record.js'

const eventsAtOnce = 100

/** What one reading of the feed has done to a receiver's queue. */
export interface Queued {
  /** Oldest events that were dropped because too many waited. */
  dropped: number
  /** It is not known what the receiver has missed: the feed was trimmed, or went backwards. */
  lost: boolean
}

/**
 * Queues what the feed has brought since the receiver's cursor. Any number of instances may do it at
 * once: each event is queued once. It only reads the feed, so no revocation ever waits for it.
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
    // The receiver has just been deleted.
    if (typeof cursor !== 'string') {
      return done
    }
    const read = await readFeed(registry, cursor, eventsAtOnce)
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
    // Another instance was faster: what it has read is read no more.
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
  revocations: readonly RevocationToTell['revocation'][],
  lastAll: string | undefined,
): Promise<QueuedEvent[]> {
  const told = new Set(lastAll === undefined ? [] : [lastAll])
  const parts = revocations.filter((revocation) => {
    // Every partition has its part of a revocation of everything; one of them is told.
    if (!isEverywhere(revocation.id)) {
      return true
    }
    return !told.has(revocation.id) && told.add(revocation.id)
  })
  const found = await Promise.all(parts.map((revocation) => toTell(registry, revocation)))
  return found
    .filter((what) => concerns(what, identities))
    .map((what) => ({
      // From the revocation's id: the same whoever queues it, and whenever it is delivered again.
      jti: `${what.revocation.id}.${id}`,
      at: Date.now(),
      what,
    }))
}

/** With what the feed does not carry: the reason, and of a single token whose it was. */
async function toTell(
  registry: Registry,
  revocation: RevocationToTell['revocation'],
): Promise<RevocationToTell> {
  const { id, selector } = revocation
  const jti = 'jti' in selector ? selector.jti : undefined
  const partition = jti === undefined ? undefined : partitionOfId(jti, registry.partitions)
  const [reason, [token]] = await Promise.all([
    reasonOf(registry, id),
    partition === undefined || jti === undefined ? [] : readTokens(registry, partition, [jti]),
  ])
  return {
    kind: 'revocation',
    revocation,
    ...(reason === '' ? {} : { reason }),
    ...(token === undefined ? {} : { token: { identity: token.identity, subject: token.subject } }),
  }
}

/** Said in its receipt; in the first partition's, of a revocation of everything. */
async function reasonOf({ redis, keys, partitions }: Registry, id: string): Promise<string> {
  const key = keys.receipt(partitionOfId(id, partitions) ?? 0, id)
  // It is for people alone: while that partition is away the event goes without.
  return (await redis.hget(key, 'reason').catch(() => null)) ?? ''
}

/** In doubt, with a token that the registry does not know any more, everyone is told. */
function concerns(
  { revocation: { selector }, token }: RevocationToTell,
  identities: readonly string[] | undefined,
): boolean {
  const identity = 'identity' in selector ? selector.identity : token?.identity
  return identities === undefined || identity === undefined || identities.includes(identity)
}
