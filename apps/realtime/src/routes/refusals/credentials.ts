import { createHash } from 'node:crypto'
import { bearerSubprotocolPrefix } from '@portcullis/contracts/websocket'
import type { FastifyRequest } from 'fastify'

/** Returns what each place for a token holds: header, API key, subprotocols, query. */
export function credentialsOf({ headers, url }: FastifyRequest): (string | undefined)[] {
  const { 'sec-websocket-protocol': protocols } = headers
  return [
    headers.authorization,
    headers['x-api-key']?.toString(),
    protocols?.includes(bearerSubprotocolPrefix) ? protocols : undefined,
    url.includes('?')
      ? (new URLSearchParams(url.split('?', 2)[1]).get('access_token') ?? undefined)
      : undefined,
  ]
}

/** Identifies credentials without keeping them. */
export function digestOf(credentials: readonly (string | undefined)[]): string {
  return createHash('sha256').update(JSON.stringify(credentials)).digest('base64')
}
