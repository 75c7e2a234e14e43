import { randomInt, randomUUID } from 'node:crypto'
import type { StreamPosition } from '@portcullis/protocol'
import { type Commands, script } from '@portcullis/redis'
import type { StreamRead } from '../../hub/stream.js'
import type { Keys } from '../keys.js'

const lua = (name: string) => new URL(`./${name}.lua`, import.meta.url)
const publishScript = script<[offset: string, epoch: string]>(lua('publish'))
const publishNowScript = script<number>(lua('publish-now'))
const publishOnceScript = script<0 | 1>(lua('publish-once'))
const removeHistoryScript = script<0 | 1>(lua('remove-history'))
const disownScript = script<0 | 1>(lua('disown'))
const historyScript = script<
  [offset: string, epoch: string, entries: [id: string, fields: string[]][]]
>(lua('read-history'))

/**
 * Bounds of the random jump in offsets after another master took over, since the last offsets
 * before it may be lost (see publish.lua). Random, because a second replica may take over that
 * never saw the jump of the first. Large, so that no channel publishes as much in the meantime; and
 * 53 bits still suffice for thousands of jumps.
 */
export const minJump = 2 ** 24
const maxJump = 2 ** 40

/**
 * Minimum time that a stream's position is kept; a client back within it learns of missed
 * publications.
 */
const minPlaceSeconds = 30 * 24 * 60 * 60

export interface PublishOptions {
  /** The channel's history: publications kept, and for how long. */
  history?: { size: number; ttlSeconds: number }
  /** Publishes at most once under this key within this time. */
  idempotency?: { key: string; ttlSeconds: number }
  /** With a history: publishes only if greater than the channel's last version of the same epoch. */
  version?: { number: number; epoch: string }
}

export interface BoundedHistoryQuery {
  /** Exclusive: publications after this position, or before it with `reverse`. */
  since?: StreamPosition | undefined
  /** Maximum number of publications; 0: only the position; negative: no limit. */
  limit: number
  /** Maximum bytes; the first publication is returned whatever its size. */
  maxBytes: number
  /** Newest first. */
  reverse?: boolean
}

/**
 * Publishes to every node, and into the channel's history if it has one; returns the position
 * there. `deadline` as in `Script`.
 */
export async function publish(
  redis: Commands,
  keys: Keys,
  channel: string,
  encoded: Buffer,
  { history, idempotency, version }: PublishOptions,
  deadline: number,
): Promise<StreamPosition | undefined> {
  const to = keys.channel(channel)
  // A publication is UTF-8. ioredis sends a command of strings for less than one with a buffer.
  const publication = encoded.toString()
  const onceKeys = idempotency === undefined ? [] : [keys.once(channel, idempotency.key)]
  const onceSeconds = idempotency?.ttlSeconds ?? 0
  if (history === undefined) {
    if (idempotency === undefined) {
      await publishNowScript(redis, [to], [publication], deadline)
    } else {
      await publishOnceScript(redis, onceKeys, [publication, onceSeconds, to], deadline)
    }
    return undefined
  }
  const { size, ttlSeconds } = history
  const [offset, epoch] = await publishScript(
    redis,
    [keys.stream(channel), keys.place(channel), ...onceKeys],
    [
      publication,
      size,
      ttlSeconds,
      newEpoch(),
      placeSeconds(ttlSeconds),
      onceSeconds,
      newJump(),
      to,
      version?.number ?? '',
      version?.epoch ?? '',
    ],
    deadline,
  )
  return { offset: Number(offset), epoch }
}

/** Publishes a message to a Redis channel. `deadline` as in `Script`. */
export async function send(
  redis: Commands,
  to: string,
  message: string,
  deadline: number,
): Promise<void> {
  await publishNowScript(redis, [to], [message], deadline)
}

/** Deletes a channel's history; its offsets continue. `deadline` as in `Script`. */
export async function removeHistory(
  redis: Commands,
  keys: Keys,
  channel: string,
  deadline: number,
): Promise<void> {
  await removeHistoryScript(redis, [keys.stream(channel)], [], deadline)
}

export async function readHistory(
  redis: Commands,
  keys: Keys,
  channel: string,
  { since, limit, maxBytes, reverse = false }: BoundedHistoryQuery,
): Promise<StreamRead> {
  const [offset, epoch, entries] = await historyScript(
    redis,
    [keys.stream(channel), keys.place(channel)],
    [limit, since?.offset ?? '', reverse ? 1 : 0, newEpoch(), minPlaceSeconds, maxBytes],
  )
  return {
    position: { offset: Number(offset), epoch },
    publications: entries.map(([id, [, encoded = '', , after]]) => ({
      offset: Number.parseInt(id, 10),
      ...(after === undefined ? {} : { after: Number(after) }),
      encoded: Buffer.from(encoded),
    })),
  }
}

/** Deletes the stream if it has lost the publication at `position`; returns true if it did. */
export async function disownLost(
  redis: Commands,
  keys: Keys,
  channel: string,
  { offset, epoch }: StreamPosition,
): Promise<boolean> {
  const streamKeys = [keys.stream(channel), keys.place(channel)]
  return (await disownScript(redis, streamKeys, [offset, epoch])) === 1
}

/** Returns the end of a stream; undefined for a channel without one. */
export async function readPosition(
  redis: Commands,
  keys: Keys,
  channel: string,
): Promise<StreamPosition | undefined> {
  const [offset, epoch] = await redis.hmget(keys.place(channel), 'offset', 'epoch')
  return offset && epoch ? { offset: Number(offset), epoch } : undefined
}

/**
 * Distinguishes streams of one channel that exist at different times: 48 random bits. Node keeps
 * random UUIDs ready; other random bytes cost a call for each publication.
 */
function newEpoch(): string {
  return randomUUID().slice(-12)
}

function newJump(): number {
  return randomInt(minJump, maxJump)
}

/** A position outlives the history that it belongs to. */
function placeSeconds(ttlSeconds: number): number {
  return Math.max(minPlaceSeconds, 2 * ttlSeconds)
}
