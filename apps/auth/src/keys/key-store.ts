import type { SigningAlgorithm } from '@portcullis/contracts/keys'
import { type Commands, type Deadline, runWithin, type Script, script } from '@portcullis/redis'
import { KeySetError } from './errors.js'
import { newKeyParts, signingKey } from './signing-key.js'
import { type Secrets, toStored } from './stored-key.js'

type Fields = string[]
const turn = script<[nowMs: string, promoted: string, keys: Fields, states: Fields]>(
  new URL('./turn-keys.lua', import.meta.url),
)
const add = script<null>(new URL('./add-key.lua', import.meta.url))
const replace = script<null>(new URL('./replace-key.lua', import.meta.url))
const revoke = script<0 | 1>(new URL('./revoke-key.lua', import.meta.url))

/** Where the signing keys are stored, and their schedule. All times in milliseconds. */
export interface KeyStore {
  readonly redis: Commands
  /** Redis refuses changes after this time. Set for a change that a caller has requested. */
  readonly deadline?: Deadline | undefined
  /** The names of the keys' hash and of the states' hash, in one slot. */
  readonly names: readonly [keys: string, states: string]
  /** The channel on which each change is announced. */
  readonly channel: string
  readonly secrets: Secrets
  /** The algorithm of new keys. */
  readonly algorithm: SigningAlgorithm
  /** How long a key signs before the next key takes over; undefined for manual rotation. */
  readonly rotateAfterMs: number | undefined
  /** How long a key is published before it may sign, so that every cache of the JWKS has it. */
  readonly publishMs: number
  /** How long a previous key is kept: longer than any token lives. */
  readonly keepMs: number
}

/** The keys as stored at `nowMs` of Redis' clock. */
export interface StoredKeys {
  nowMs: number
  /** True when the next key became the current one in this step. */
  promoted: boolean
  current: string | undefined
  next: string | undefined
  /** kid -> key as JSON. */
  keys: ReadonlyMap<string, string>
  /** `created:<kid>`, `activated:<kid>`, `retired:<kid>` -> Unix milliseconds. */
  times: ReadonlyMap<string, number>
}

/**
 * Does what is due by the schedule, and returns the keys after that.
 *
 * @param signsForMs - how long a key signs before the next key takes over; default: the schedule's
 */
export async function turnKeys(
  store: KeyStore,
  signsForMs: number | undefined = store.rotateAfterMs,
): Promise<StoredKeys> {
  const { publishMs, keepMs, channel } = store
  const [nowMs, promoted, keys, states] = await run(store, turn, [
    signsForMs ?? -1,
    publishMs,
    keepMs,
    channel,
  ])
  const { current, ...texts } = recordOf(keys)
  const { next, ...times } = recordOf(states)
  return {
    nowMs: Number(nowMs),
    promoted: promoted === '1',
    current,
    next,
    keys: new Map(Object.entries(texts)),
    times: new Map(Object.entries(times).map(([name, ms]) => [name, Number(ms)])),
  }
}

/** Creates a key, and stores it if the current or the next key is missing, or replaces the next key `instead`. */
export async function addKey(store: KeyStore, instead = ''): Promise<void> {
  const { kid, text } = await spareKey(store)
  await run(store, add, [kid, text, instead, store.channel])
}

/** Stores a key in another form, unless the stored value has changed. */
export async function replaceKey(
  store: KeyStore,
  kid: string,
  text: string,
  by: string,
): Promise<void> {
  await run(store, replace, [kid, text, by])
}

/** Removes a key at once. Returns false when it does not exist and was not removed before. */
export async function removeKey(store: KeyStore, removed: string): Promise<boolean> {
  const { kid, text } = await spareKey(store)
  return (await run(store, revoke, [removed, kid, text, store.channel])) === 1
}

async function spareKey({ algorithm, secrets }: KeyStore): Promise<{ kid: string; text: string }> {
  const parts = await newKeyParts(algorithm)
  return { kid: signingKey(parts).kid, text: await toStored(parts, secrets) }
}

function recordOf(fields: Fields): Record<string, string> {
  const record: Record<string, string> = {}
  for (let i = 0; i + 1 < fields.length; i += 2) {
    record[fields[i] ?? ''] = fields[i + 1] ?? ''
  }
  return record
}

/**
 * @throws KeySetError `registry_unavailable`, with the error of Redis or the connection as its
 * cause
 */
async function run<Reply>(
  store: KeyStore,
  script: Script<Reply>,
  args: readonly (string | number)[],
): Promise<Reply> {
  try {
    return await runWithin(script, store, store.names, args)
  } catch (cause) {
    throw new KeySetError(
      'registry_unavailable',
      'Redis did not answer as expected; check that it runs, that it is the primary, and REDIS_URL',
      { cause },
    )
  }
}
