import { randomBytes } from 'node:crypto'
import { issueToken, openRegistry } from '@portcullis/auth/registry'
import { close, connectCommands } from '@portcullis/redis'

/** Tokens of each subject, except the rare one. */
const tokensOfSubject = 10
/** A subject and a label that have about this many tokens, spread over all. */
export const rare = { subject: 'rare', label: 'rare', tokens: 200 }
/** Tokens of each batch label; the labels are revoked one after another. */
const tokensOfBatch = 50
export const batches = 20

export interface Filled {
  /** Times in milliseconds at which each tenth of the tokens had been issued. */
  tenths: number[]
  /** Cursor into the middle of the identity's list. */
  middle: string
  /** Ids of some tokens that no other call revokes. */
  jtis: string[]
  /** Bytes in Redis per token: all, and in the identity's index. */
  bytes: { all: number; index: number }
}

/** Issues tokens of an identity with auth's own script, without creating JWTs. */
export async function fill(
  { url, prefix }: { url: string; prefix: string },
  identity: string,
  count: number,
  progress: (done: number) => void,
): Promise<Filled> {
  const redis = connectCommands({ url, name: 'bench', onError: () => undefined })
  await redis.connect()
  const registry = await openRegistry({
    redis,
    prefix,
    partitions: 1,
    feedMaxLength: 100_000,
    receiptTtlSeconds: 600,
    leaseMs: 10_000,
  })
  const used = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
  const before = await used()
  const filled: Filled = { tenths: [], middle: '', jtis: [], bytes: { all: 0, index: 0 } }
  const atOnce = 500
  for (let from = 0; from < count; from += atOnce) {
    const issued = await Promise.all(
      Array.from({ length: Math.min(atOnce, count - from) }, (_, at) => {
        const jti = `0-${randomBytes(16).toString('base64url')}`
        const order = {
          identity,
          ...namesOf(from + at, count),
          scopes: ['subscribe:news:*'],
          ttlSeconds: 86_400,
          from: '192.0.2.1',
        }
        return issueToken(registry, order, { jti, kid: '', sign: () => jti })
      }),
    )
    const last = issued.at(-1)
    if (last === undefined) {
      break
    }
    if (from % Math.ceil(count / 50) < atOnce) {
      filled.jtis.push(last.jti)
    }
    if (from <= count / 2) {
      filled.middle = `${last.issuedUs}`
    }
    if ((from + atOnce) % (count / 10) < atOnce) {
      filled.tenths.push(Math.floor(last.issuedUs / 1000) + 1)
    }
    if (from % 50_000 === 0) {
      progress(from)
    }
  }
  filled.bytes.all = ((await used()) - before) / count
  const sets = [registry.keys.index(0, identity), registry.keys.expiring(0, identity)]
  for (const key of sets) {
    filled.bytes.index += Number(await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 0)) / count
  }
  await close(redis)
  return filled
}

function namesOf(at: number, count: number): { subject: string; labels: string[] } {
  const isRare = at % Math.ceil(count / rare.tokens) === 0
  const every = Math.ceil(count / (batches * tokensOfBatch))
  return {
    subject: isRare ? rare.subject : `user-${Math.floor(at / tokensOfSubject)}`,
    labels: [
      'device:phone',
      ...(isRare ? [rare.label] : []),
      ...(at % every === 0 ? [`batch:${Math.floor(at / every / tokensOfBatch)}`] : []),
    ],
  }
}
