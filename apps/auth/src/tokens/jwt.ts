import fastifyJwt from '@fastify/jwt'
import Fastify, { type FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import type { KeySet, SigningKey } from '../keys/index.js'

/** What signs and verifies with one key. */
export type Library = Pick<FastifyInstance['jwt'], 'sign' | 'verify' | 'decode'>

/** What signs and verifies: the library, the keys, and the names that every token carries. */
export interface Jwt {
  /** The library, set up for this key alone; the same for the same key. */
  library(key: SigningKey): Library
  readonly keys: KeySet
  readonly issuer: string
  readonly audience: string
}

declare module 'fastify' {
  interface FastifyInstance {
    tokens: Jwt
  }
}

export interface JwtOptions {
  keys: KeySet
  issuer: string
  audience: string
}

/** The header's `typ` of an access token (RFC 9068 §2.1). */
export const accessTokenType = 'at+jwt'

/** Signs and verifies access tokens. */
export const jwt = plugin(
  async (app: FastifyInstance, { keys, issuer, audience }: JwtOptions) => {
    const libraries = new WeakMap<SigningKey, Library>()
    const library = (key: SigningKey) => {
      const made = libraries.get(key) ?? libraryFor(key, issuer, audience)
      libraries.set(key, made)
      return made
    }
    app.decorate('tokens', { library, keys, issuer, audience })
  },
  { name: 'tokens' },
)

/**
 * Sets @fastify/jwt up for access tokens under one key, and nothing but them: the key's one algorithm
 * whatever a token's header asks for (RFC 8725 §3.1), and no cache of results, which would outlive a
 * revocation.
 *
 * The library parses its keys when it is registered and uses them ever after; keys given with a call
 * it parses each time, ten times the cost of a signature. Keys come after the app has started, when
 * nothing can be registered with it any more: so each has an instance that serves nothing.
 */
function libraryFor(
  { kid, alg, privateKey, publicKey }: SigningKey,
  issuer: string,
  audience: string,
): Library {
  const holder = Fastify()
  let failed: Error | undefined
  // As a function, which it is, it is done when it returns; `register` would only be so later.
  fastifyJwt(
    holder,
    {
      secret: { private: privateKey, public: publicKey },
      decode: { complete: true },
      sign: { algorithm: alg, kid, header: { alg, typ: accessTokenType, kid } },
      verify: {
        algorithms: [alg],
        checkTyp: accessTokenType,
        allowedIss: issuer,
        allowedAud: audience,
        requiredClaims: ['iss', 'aud', 'sub', 'client_id', 'scope', 'iat', 'exp', 'jti'],
        clockTolerance: 0,
        cache: false,
      },
    },
    (error) => {
      failed = error
    },
  )
  if (failed !== undefined) {
    throw failed
  }
  return holder.jwt
}
