import { UnauthorizedError } from 'centrifuge'
import { TokenError } from './errors.js'
import { requestToken, type UserTokenRequest } from './request-token.js'

export interface ChannelTokenOptions extends UserTokenRequest {
  /** `UnauthorizedError` of the build of centrifuge-js, if that is not the JSON build. */
  UnauthorizedError?: new (
    message: string,
  ) => Error
}

/**
 * Returns a `getToken` for `newSubscription` of centrifuge-js. It asks the application's backend for
 * a token of the one channel, with a POST of `{"channel": "…"}`; the backend responds with
 * `{access_token, expires_in}` (seconds).
 *
 * After a terminal error, such as a 403 of the backend, the subscription ends with code 1 and is not
 * tried again. After any other error centrifuge-js tries again later.
 */
export function channelToken({
  UnauthorizedError: Unauthorized = UnauthorizedError,
  ...options
}: ChannelTokenOptions): (context: { channel: string }) => Promise<string> {
  return async ({ channel }) => {
    const headers = new Headers(options.request?.headers)
    headers.set('content-type', 'application/json')
    const request = { ...options.request, headers, body: JSON.stringify({ channel }) }
    try {
      return (await requestToken({ ...options, request })).token
    } catch (error) {
      if (error instanceof TokenError && error.terminal) {
        throw new Unauthorized(`${error.code}: ${error.message}`)
      }
      throw error
    }
  }
}
