import fastifyJwt from '@fastify/jwt'
import Fastify, { type FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import type { KeySet, SigningKey } from '../keys/index.js'

/** @fastify/jwt, configured for one key. */
export type JwtLibrary = Pick<FastifyInstance['jwt'], 'sign' | 'verify' | 'decode'>

/** Signs and verifies tokens with the key set, and the issuer and audience of every token. */
export interface Jwt {
  /** Returns the library configured for this key, always the same object for the same key. */
  library(key: SigningKey): JwtLibrary
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

/** Decorates the app with `tokens`, which signs and verifies access tokens. */
export const jwt = plugin(
  async (app: FastifyInstance, { keys, issuer, audience }: JwtOptions) => {
    const libraries = new WeakMap<SigningKey, JwtLibrary>()
    const library = (key: SigningKey) => {
      const configured = libraries.get(key) ?? libraryFor(key, issuer, audience)
      libraries.set(key, configured)
      return configured
    }
    app.decorate('tokens', { library, keys, issuer, audience })
  },
  { name: 'tokens' },
)

/**
 * Configures @fastify/jwt for access tokens of one key: only the key's own algorithm, whatever a
 * token's header says (RFC 8725 §3.1), and no cache of results, which would outlive a revocation.
 *
 * The library parses a registered key once, but a key passed with a call each time, which costs ten
 * times a signature. New keys arrive after the app has started and accepts no more plugins, so each
 * key has a Fastify instance of its own that serves nothing.
 */
function libraryFor(
  { kid, alg, privateKey, publicKey }: SigningKey,
  issuer: string,
  audience: string,
): JwtLibrary {
  const holder = Fastify()
  let failed: Error | undefined
  // Called as a function it is ready when it returns; `register` would be ready only later.
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
