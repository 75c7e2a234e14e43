import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { type Commands, script } from '@portcullis/redis'
import { keyNames } from '../registry/keys.js'
import { KeySetError } from './errors.js'
import { fromStored, newKey, type OpenKey, toStored, unreadable } from './stored-key.js'

const createKey = script<string[]>(new URL('../../src/keys/lua/create-key.lua', import.meta.url))
const replaceKey = script<null>(new URL('../../src/keys/lua/replace-key.lua', import.meta.url))

/** A public signing key as JWKS has it (RFC 7517 §4, RFC 8037 §2). */
export interface PublicJwk {
  kty: 'OKP'
  crv: 'Ed25519'
  x: string
  kid: string
  use: 'sig'
  alg: 'EdDSA'
}

/** The installation's signing keys, the same for every auth instance. */
export interface KeySet {
  /** Signs; `privateKey` is PKCS #8 in PEM. */
  readonly current: { readonly kid: string; readonly privateKey: string }
  /** The public key in PEM (SPKI); undefined for a `kid` that is not ours. */
  publicKey(kid: string): string | undefined
  /** Public parts alone. */
  jwks(): { keys: PublicJwk[] }
}

export interface OpenKeySet {
  /** Connected. */
  redis: Commands
  prefix: string
  /** Encrypts private keys in Redis. Once set it has to stay. */
  secret?: string | undefined
}

/**
 * Reads the signing keys, and makes the first one when there is none; instances that start at once
 * agree on one. A key stored in the clear is encrypted as soon as there is a secret.
 *
 * @throws KeySetError `secret_missing`, `secret_wrong`, `key_unreadable`, `registry_unavailable`
 */
export async function openKeySet({ redis, prefix, secret }: OpenKeySet): Promise<KeySet> {
  const name = keyNames(prefix).signingKeys
  const stored = await guard(async () => redis.hgetall(name))
  const fields = stored['current'] === undefined ? await create(redis, name, secret) : stored
  const current = fields['current'] ?? ''
  const keys: OpenKey[] = []
  for (const [kid, text] of Object.entries(fields)) {
    if (kid === 'current') continue
    const key = await fromStored(kid, text, secret)
    if (secret !== undefined && !key.sealed) {
      const sealed = await toStored(key, secret)
      await guard(() => replaceKey(redis, [name], [kid, text, sealed]))
    }
    keys.push(key)
  }
  return keySetOf(current, keys)
}

async function create(
  redis: Commands,
  name: string,
  secret: string | undefined,
): Promise<Record<string, string>> {
  const key = await newKey()
  const text = await toStored(key, secret)
  const reply = await guard(() => createKey(redis, [name], [key.kid, text]))
  const fields: Record<string, string> = {}
  for (let i = 0; i + 1 < reply.length; i += 2) fields[reply[i] ?? ''] = reply[i + 1] ?? ''
  return fields
}

function keySetOf(current: string, keys: readonly OpenKey[]): KeySet {
  const pems = new Map(keys.map((key) => [key.kid, pemsOf(key)]))
  const signing = pems.get(current)
  if (signing === undefined) throw unreadable(current)
  const jwks = keys.map(
    ({ kid, x }): PublicJwk => ({ kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA' }),
  )
  return {
    current: { kid: current, privateKey: signing.private },
    publicKey: (kid) => pems.get(kid)?.public,
    jwks: () => ({ keys: [...jwks] }),
  }
}

/** @throws KeySetError `key_unreadable` when the two halves are not one pair */
function pemsOf({ kid, x, d }: OpenKey): { private: string; public: string } {
  let key: KeyObject
  try {
    key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', x, d }, format: 'jwk' })
  } catch {
    throw unreadable(kid)
  }
  const pub = createPublicKey(key)
  // Node takes the public half on trust from `d`, so a foreign `x` would show here.
  if (pub.export({ format: 'jwk' }).x !== x) throw unreadable(kid)
  return {
    private: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    public: pub.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

async function guard<Reply>(work: () => Promise<Reply>): Promise<Reply> {
  try {
    return await work()
  } catch (cause) {
    throw new KeySetError(
      'registry_unavailable',
      'Redis did not answer as it should; check that it runs, that it is the primary, and REDIS_URL',
      { cause },
    )
  }
}
