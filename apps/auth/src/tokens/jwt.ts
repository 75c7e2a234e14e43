import fastifyJwt from '@fastify/jwt'
import Fastify, { type FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import type { KeySet, SigningKey } from '../keys/index.js'
import type { DecodedToken } from './decode.js'
import { DecodedTokens } from './decoded-tokens.js'

/** @fastify/jwt, configured for one key. */
export type JwtLibrary = Pick<FastifyInstance['jwt'], 'sign' | 'verify'>

/** Signs and verifies tokens with the key set, and the issuer and audience of every token. */
export interface Jwt {
  /** Returns the library configured for this key, always the same object for the same key. */
  library(key: SigningKey): JwtLibrary
  /** Reads a token's id and identity, without its signature; undefined for a text of no token. */
  decode(text: string): DecodedToken | undefined
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
    const keyOf = keysByHeader(keys, (key) => headerOf(library(key)))
    const decoded = new DecodedTokens({ keyOf, issuer, audience }, keys)
    app.decorate('tokens', {
      library,
      decode: (text: string) => decoded.decode(text),
      keys,
      issuer,
      audience,
    })
  },
  { name: 'tokens' },
)

/**
 * Configures @fastify/jwt for access tokens of one key: only the key's own algorithm, whatever a
 * token's header says (RFC 8725 §3.1). Expired tokens verify: a signature decides about no access.
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
      sign: { algorithm: alg, kid, header: { alg, typ: accessTokenType, kid } },
      verify: {
        algorithms: [alg],
        checkTyp: accessTokenType,
        allowedIss: issuer,
        allowedAud: audience,
        ignoreExpiration: true,
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

/**
 * Returns a function that finds keys by the encoded header of a token. It parses a header of a known
 * key once, and any other header each time.
 */
function keysByHeader(
  keys: KeySet,
  headerOf: (key: SigningKey) => string,
): (header: string) => SigningKey | undefined {
  const kids = new Map<string, string>()
  return (header) => {
    const known = kids.get(header)
    if (known !== undefined) {
      return keys.find(known)
    }
    const kid = kidOf(header)
    const key = kid === undefined ? undefined : keys.find(kid)
    if (key === undefined || headerOf(key) !== header) {
      return undefined
    }
    kids.set(header, key.kid)
    return key
  }
}

/** Returns the encoded header of every token that the library signs. */
function headerOf(library: JwtLibrary): string {
  const [header = ''] = library.sign({}).split('.')
  return header
}

function kidOf(header: string): string | undefined {
  try {
    const fields: unknown = JSON.parse(Buffer.from(header, 'base64url').toString())
    const named = typeof fields === 'object' && fields !== null && 'kid' in fields
    return named && typeof fields.kid === 'string' ? fields.kid : undefined
  } catch {
    return undefined
  }
}
