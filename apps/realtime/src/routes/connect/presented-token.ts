import type { IncomingHttpHeaders } from 'node:http'
import { bearerSubprotocolPrefix } from '@portcullis/contracts/websocket'

/**
 * Tells whether a token is the one that came with an upgrade, in its header or among its
 * subprotocols. Keeps those texts, and nothing else of the request.
 */
export function presentedToken(headers: IncomingHttpHeaders): (token: string) => boolean {
  const { authorization = '', 'sec-websocket-protocol': offered = '' } = headers
  const presented = offered
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name.startsWith(bearerSubprotocolPrefix))
    .map((name) => name.slice(bearerSubprotocolPrefix.length))
  presented.push(authorization.replace(/^bearer +/i, ''))
  return (token) => presented.includes(token)
}
