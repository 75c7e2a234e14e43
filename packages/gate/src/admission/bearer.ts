import type { IncomingMessage } from 'node:http'
import { maxTokenLength } from '@portcullis/contracts/names'
import { bearerSubprotocolPrefix, subprotocol } from '@portcullis/contracts/websocket'
import { GateError } from '../errors.js'
import { isUpgrade } from './sockets.js'

/** RFC 6750 §2.1, b64token. */
const credentialsPattern = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i
const schemePattern = /^Bearer(?: |$)/i
const tokenPattern = /^[A-Za-z0-9\-._~+/]+=*$/

/**
 * Returns the token of a request or an upgrade: from `Authorization`, from the offered subprotocols
 * (`portcullis, bearer.<token>`, upgrades only), or from `query` if given.
 *
 * @throws GateError `missing_token`; `invalid_request` when there are two tokens (RFC 6750 §2) or the
 * syntax is wrong; `invalid_token` when the token cannot be one of auth's
 */
export function bearerToken(raw: IncomingMessage, query?: unknown): string {
  const found = [
    ...fromHeader(raw),
    ...(isUpgrade(raw) ? fromSubprotocols(raw) : []),
    ...fromQuery(query),
  ]
  const [token] = found
  if (token === undefined) {
    throw new GateError('missing_token', 'the request carries no token')
  }
  if (found.length > 1) {
    throw malformed('send the token once, in one place')
  }
  if (token.length > maxTokenLength || !tokenPattern.test(token)) {
    throw new GateError('invalid_token', 'the token is malformed')
  }
  return token
}

function fromHeader(raw: IncomingMessage): string[] {
  const { authorization } = raw.headers
  if (authorization === undefined) {
    return []
  }
  // Node silently drops every Authorization header but the first.
  if (headerCount(raw, 'authorization') > 1) {
    throw malformed('send one Authorization header')
  }
  if (!schemePattern.test(authorization)) {
    return []
  }
  const token = credentialsPattern.exec(authorization)?.[1]
  if (token === undefined) {
    throw malformed('write it as "Authorization: Bearer <token>"')
  }
  return [token]
}

function fromSubprotocols(raw: IncomingMessage): string[] {
  const header = raw.headers['sec-websocket-protocol']
  if (header === undefined) {
    return []
  }
  const offered = header.split(',').map((name) => name.trim())
  const tokens = offered
    .filter((name) => name.startsWith(bearerSubprotocolPrefix))
    .map((name) => name.slice(bearerSubprotocolPrefix.length))
  // The server must select one of the offered names, and never the token.
  if (tokens.length > 0 && !offered.includes(subprotocol)) {
    throw malformed(`offer the subprotocol ${subprotocol} beside ${bearerSubprotocolPrefix}<token>`)
  }
  return tokens
}

function fromQuery(query: unknown): string[] {
  if (typeof query !== 'object' || query === null || !('access_token' in query)) {
    return []
  }
  const { access_token: token } = query
  if (typeof token !== 'string' || token === '') {
    throw malformed('send one access_token')
  }
  return [token]
}

function headerCount({ rawHeaders }: IncomingMessage, name: string): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at]
    if (header?.length === name.length && header.toLowerCase() === name) {
      count++
    }
  }
  return count
}

function malformed(message: string): GateError {
  return new GateError('invalid_request', message)
}
