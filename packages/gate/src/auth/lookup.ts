import { type Active, IntrospectedMany } from '@portcullis/contracts/introspection'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifyBaseLogger } from 'fastify'
import { GateError } from '../errors.js'
import type { AuthHttp, AuthResponse } from './auth-http.js'
import type { Credentials } from './credentials.js'

const introspected = TypeCompiler.Compile(IntrospectedMany)

/**
 * Introspects up to `maxIntrospections` tokens at auth. The result has undefined for each inactive token.
 * @throws GateError `auth_unavailable` when auth does not answer, or its answer violates the contract
 */
export type Lookup = (tokens: readonly string[]) => Promise<(Active | undefined)[]>

/** Returns a function that sends `POST /v1/introspections`, and retries once with a new own token on a 401. */
export function createLookup(
  http: AuthHttp,
  credentials: Credentials,
  log: FastifyBaseLogger,
): Lookup {
  let healthy = true

  async function send(token: string, tokens: readonly string[]): Promise<AuthResponse> {
    try {
      return await http.post(
        '/v1/introspections',
        { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        JSON.stringify({ tokens }),
      )
    } catch (cause) {
      throw failed('auth cannot be asked', cause)
    }
  }

  function failed(why: string, cause?: unknown): GateError {
    if (healthy) {
      log.error({ err: cause }, `gate: ${why}; nothing is admitted`)
    }
    healthy = false
    return new GateError('auth_unavailable', why)
  }

  return async (tokens) => {
    const own = await credentials.token()
    let answer = await send(own, tokens)
    if (answer.status === 401) {
      answer = await send(await credentials.renew(own), tokens)
    }
    if (answer.status !== 200) {
      throw failed(`auth answers ${answer.status} to /v1/introspections`)
    }
    if (!introspected.Check(answer.body)) {
      throw failed('auth answers /v1/introspections with a body that violates its contract')
    }
    const { results } = answer.body
    // In a list of another length, a token could get the answer of another token.
    if (results.length !== tokens.length) {
      throw failed(`auth answers ${results.length} of ${tokens.length} introspections`)
    }
    if (!healthy) {
      log.info('gate: auth answers again')
    }
    healthy = true
    return results.map((result) => (result.active ? result : undefined))
  }
}
