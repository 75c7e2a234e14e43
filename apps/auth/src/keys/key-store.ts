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

/** Where the signing keys are, and how long each is what; all times in milliseconds. */
export interface KeyStore {
  readonly redis: Commands
  /** Set while a caller's change is made: Redis refuses it after `until` of `performance.now()`. */
  readonly deadline?: Deadline | undefined
  /** Names of the keys' hash and of their states', in one slot. */
  readonly names: readonly [keys: string, states: string]
  /** Channel on which each change is told. */
  readonly channel: string
  readonly secrets: Secrets
  /** What new keys are for. */
  readonly algorithm: SigningAlgorithm
  /** How long a key signs until the next takes over; by hand only when undefined. */
  readonly rotateAfterMs: number | undefined
  /** How long a key is published before it may sign, so that every cache of the JWKS has it. */
  readonly publishMs: number
  /** How long a previous key is kept: longer than any token lives. */
  readonly keepMs: number
}

/** The keys as they are stored: at `nowMs` by the clock of Redis. */
export interface StoredKeys {
  nowMs: number
  /** The next key has taken over in this very step. */
  promoted: boolean
  current: string | undefined
  next: string | undefined
  /** kid -> key as JSON. */
  keys: ReadonlyMap<string, string>
  /** `created:<kid>`, `activated:<kid>`, `retired:<kid>` -> Unix milliseconds. */
  times: ReadonlyMap<string, number>
}

/**
 * Does what is due, and gives the keys as they are then.
 *
 * @param signsForMs - after how long the next key takes over; by default what the schedule says
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

/** Makes a key, and stores it where one is missing, or instead of this next one. */
export async function addKey(store: KeyStore, instead = ''): Promise<void> {
  const { kid, text } = await spareKey(store)
  await run(store, add, [kid, text, instead, store.channel])
}

/** Stores a key in another form, unless someone else did meanwhile. */
export async function replaceKey(
  store: KeyStore,
  kid: string,
  text: string,
  by: string,
): Promise<void> {
  await run(store, replace, [kid, text, by])
}

/** Removes a key at once; false when there is none, and none was removed. */
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

/** @throws KeySetError `registry_unavailable`, with what Redis or the connection said as its cause */
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
      'Redis did not answer as it should; check that it runs, that it is the primary, and REDIS_URL',
      { cause },
    )
  }
}
