import { type Active, IntrospectedMany } from '@portcullis/contracts/introspection'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifyBaseLogger } from 'fastify'
import { GateError } from '../errors.js'
import type { Answer, AuthHttp } from './auth-http.js'
import type { Credentials } from './credentials.js'

const introspected = TypeCompiler.Compile(IntrospectedMany)

/**
 * Asks auth about up to `maxIntrospections` tokens; what is inactive is undefined.
 * @throws GateError `auth_unavailable` for anything but an answer of exactly the contract's shape
 */
export type Lookup = (tokens: readonly string[]) => Promise<(Active | undefined)[]>

/** Makes the function that sends one `POST /v1/introspections`, with a new token of ours on a 401. */
export function createLookup(
  http: AuthHttp,
  credentials: Credentials,
  log: FastifyBaseLogger,
): Lookup {
  let healthy = true

  async function send(token: string, tokens: readonly string[]): Promise<Answer> {
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
      throw failed('auth answers /v1/introspections with something else')
    }
    const { results } = answer.body
    // A shorter or longer list could give one token another's answer.
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
