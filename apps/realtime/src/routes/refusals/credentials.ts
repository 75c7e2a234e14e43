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

type Credentials = ReturnType<typeof credentialsOf>

/** What identifies a request's connection. */
interface RawRequest {
  readonly socket: object
  readonly headers: { readonly upgrade?: string | undefined }
}

/** Digests of requests. A caller that repeats its credentials on one connection costs one digest. */
export class RequestDigests {
  readonly #last = new WeakMap<object, { credentials: Credentials; digest: string }>()

  of({ socket, headers }: RawRequest, credentials: Credentials): string {
    const last = this.#last.get(socket)
    if (last?.credentials.every((each, place) => each === credentials[place])) {
      return last.digest
    }
    const digest = digestOf(credentials)
    // An upgraded socket carries no further request, and would keep its token in memory.
    if (headers.upgrade === undefined) {
      this.#last.set(socket, { credentials, digest })
    }
    return digest
  }
}
