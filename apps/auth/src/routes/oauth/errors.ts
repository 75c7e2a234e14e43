import { type OAuthErrorCode, oauthErrors } from '@portcullis/contracts/oauth'
import { answerable } from '@portcullis/service'
import type { FastifyInstance } from 'fastify'
import { translate } from '../../errors.js'

/**
 * Answers every error of a scope as OAuth has it (RFC 6749 §5.2, RFC 6750 §3.1).
 *
 * @param malformed - what a request is called that cannot be read, or has something wrong in it
 */
export function answerOAuthErrors(
  app: FastifyInstance,
  malformed: 'invalid_request' | 'invalid_client_metadata' = 'invalid_request',
): void {
  app.setErrorHandler((error, request, reply) => {
    const { statusCode, code, message, headers = {} } = answerable(error, translate)
    if (statusCode >= 500) {
      request.log.error({ err: error }, 'request failed')
    }
    return reply
      .code(statusCode)
      .headers(headers)
      .send(oauthErrorOf({ statusCode, code, message }, malformed))
  })
}

/** Returns the body of RFC 6749 §5.2 for an error. */
export function oauthErrorOf(
  { statusCode, code, message }: { statusCode: number; code?: string | undefined; message: string },
  malformed: 'invalid_request' | 'invalid_client_metadata' = 'invalid_request',
) {
  return { error: errorOf(statusCode, code, malformed), error_description: description(message) }
}

function errorOf(
  status: number,
  code: string | undefined,
  malformed: OAuthErrorCode,
): OAuthErrorCode {
  if (code === 'invalid_request') {
    return malformed
  }
  const known = oauthErrors.find((error) => error === code)
  if (known !== undefined) {
    return known
  }
  // A client that was good when it was asked, and is gone or suspended when its token is recorded.
  if (code === 'identity_suspended') {
    return 'unauthorized_client'
  }
  if (code === 'identity_not_found') {
    return 'invalid_client'
  }
  if (status === 429 || status === 503) {
    return 'temporarily_unavailable'
  }
  return status >= 500 ? 'server_error' : malformed
}

/** The characters that RFC 6749 §5.2 allows in a description. */
function description(message: string): string {
  return message.replaceAll('"', "'").replaceAll(/[^ !#-[\]-~]/g, '?')
}
