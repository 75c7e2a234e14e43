import type { IncomingHttpHeaders } from 'node:http'
import { bearerSubprotocolPrefix } from '@portcullis/contracts/websocket'

/**
 * Returns a function that recognizes the token of an upgrade, in its header or its subprotocols.
 * The function keeps only those strings, so that the request can be freed.
 */
export function presentedToken(headers: IncomingHttpHeaders): (token: string) => boolean {
  const { authorization = '', 'sec-websocket-protocol': offered = '' } = headers
  return (token) =>
    authorization.replace(/^bearer +/i, '') === token ||
    offered.split(',').some((name) => name.trim() === `${bearerSubprotocolPrefix}${token}`)
}
