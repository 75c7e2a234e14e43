import { type OAuthErrorCode, oauthErrors } from '@portcullis/contracts/oauth'
import { answerable } from '@portcullis/service'
import type { FastifyInstance } from 'fastify'
import { translate } from '../../errors.js'

/**
 * Sends every error of a scope as an OAuth error (RFC 6749 §5.2, RFC 6750 §3.1).
 *
 * @param malformed - the error code of a malformed request
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

/** Returns the response body of RFC 6749 §5.2 for an error. */
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
  // The client was deleted or suspended between its authentication and the issue of its token.
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

/** Replaces the characters that RFC 6749 §5.2 does not allow in a description. */
function description(message: string): string {
  return message.replaceAll('"', "'").replaceAll(/[^ !#-[\]-~]/g, '?')
}
