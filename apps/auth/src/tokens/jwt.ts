import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import type { KeySet } from '../keys/index.js'

/** What signs and verifies: the library, the keys, and the names that every token carries. */
export interface Jwt {
  readonly library: Pick<FastifyInstance['jwt'], 'sign' | 'verify' | 'decode'>
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

/**
 * Registers @fastify/jwt for access tokens, and nothing but them: one algorithm whatever a token's
 * header asks for (RFC 8725 §3.1), and no cache of results, which would outlive a revocation.
 */
export const jwt = plugin(
  async (app: FastifyInstance, { keys, issuer, audience }: JwtOptions) => {
    const { kid, privateKey } = keys.current
    await app.register(fastifyJwt, {
      secret: { private: privateKey, public: keys.publicKey(kid) ?? '' },
      sign: { algorithm: 'EdDSA', kid, header: { alg: 'EdDSA', typ: accessTokenType, kid } },
      verify: {
        algorithms: ['EdDSA'],
        checkTyp: accessTokenType,
        allowedIss: issuer,
        allowedAud: audience,
        requiredClaims: ['iss', 'aud', 'sub', 'client_id', 'scope', 'iat', 'exp', 'jti'],
        clockTolerance: 0,
        cache: false,
      },
    })
    app.decorate('tokens', { library: app.jwt, keys, issuer, audience })
  },
  { name: 'tokens' },
)
