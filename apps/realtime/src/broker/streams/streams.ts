import { randomBytes, randomInt } from 'node:crypto'
import type { StreamPosition } from '@portcullis/protocol'
import { type Commands, script } from '@portcullis/redis'
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
 * How far offsets go on further up, between these, when the last ones before may be lost (see
 * publish.lua). At random, as two replicas may do so one after the other, the second without having
 * heard of the first; so far that no one has published as much meanwhile, and 53 bits last for
 * thousands of times.
 */
export const leastJump = 2 ** 24
const mostJump = 2 ** 40

/** A client that comes back within this finds out whether it has missed anything. */
const leastPlaceSeconds = 30 * 24 * 60 * 60

export interface PublishOptions {
  /** What the channel keeps. */
  history?: { size: number; ttlSeconds: number }
  /** Published once under this key, within this time of the first. */
  idempotency?: { key: string; ttlSeconds: number }
}

export interface HistoryQuery {
  /** Excluded: publications after it, or in reverse before it. */
  since?: StreamPosition | undefined
  /** The most to give; 0: none, the position alone; negative: all. */
  limit: number
  /** The most bytes to give; the first publication is given whatever its size. */
  maxBytes: number
  /** Newest first. */
  reverse?: boolean
}

/** Publications of a history with their offsets, and where it ends. */
export interface History {
  position: StreamPosition
  publications: KeptPublication[]
}

/** `after` is the offset that it follows, when that is not the one before its own. */
export interface KeptPublication {
  offset: number
  after?: number
  encoded: Buffer
}

/**
 * Publishes into every node, and into the channel's history if it has one; resolves to the place there.
 * `deadline` as in `Script`.
 */
export async function publish(
  redis: Commands,
  keys: Keys,
  channel: string,
  encoded: Buffer,
  { history, idempotency }: PublishOptions,
  deadline: number,
): Promise<StreamPosition | undefined> {
  const to = keys.channel(channel)
  const once = idempotency === undefined ? [] : [keys.once(channel, idempotency.key)]
  const onceSeconds = idempotency?.ttlSeconds ?? 0
  if (history === undefined) {
    if (idempotency === undefined) {
      await publishNowScript(redis, [to], [encoded], deadline)
    } else {
      await publishOnceScript(redis, once, [encoded, onceSeconds, to], deadline)
    }
    return undefined
  }
  const { size, ttlSeconds } = history
  const [offset, epoch] = await publishScript(
    redis,
    [keys.stream(channel), keys.place(channel), ...once],
    [encoded, size, ttlSeconds, newEpoch(), placeSeconds(ttlSeconds), onceSeconds, newJump(), to],
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

/** Forgets what a channel keeps; its offsets go on. `deadline` as in `Script`. */
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
  { since, limit, maxBytes, reverse = false }: HistoryQuery,
): Promise<History> {
  const [offset, epoch, entries] = await historyScript(
    redis,
    [keys.stream(channel), keys.place(channel)],
    [limit, since?.offset ?? '', reverse ? 1 : 0, newEpoch(), leastPlaceSeconds, maxBytes],
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

/** Begins the stream anew if it has lost what was published at `position`; says whether it did. */
export async function disownLost(
  redis: Commands,
  keys: Keys,
  channel: string,
  { offset, epoch }: StreamPosition,
): Promise<boolean> {
  const places = [keys.stream(channel), keys.place(channel)]
  return (await disownScript(redis, places, [offset, epoch])) === 1
}

/** Where a stream ends; undefined for a channel that has none. */
export async function readPosition(
  redis: Commands,
  keys: Keys,
  channel: string,
): Promise<StreamPosition | undefined> {
  const [offset, epoch] = await redis.hmget(keys.place(channel), 'offset', 'epoch')
  return offset && epoch ? { offset: Number(offset), epoch } : undefined
}

/** Tells streams apart that have the same name at different times. */
function newEpoch(): string {
  return randomBytes(6).toString('base64url')
}

function newJump(): number {
  return randomInt(leastJump, mostJump)
}

/** Longer than what it is the place of. */
function placeSeconds(ttlSeconds: number): number {
  return Math.max(leastPlaceSeconds, 2 * ttlSeconds)
}
