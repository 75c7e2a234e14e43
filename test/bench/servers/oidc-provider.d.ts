/** The part of node-oidc-provider, which has no types of its own, that the benchmark uses. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export class Provider {
    constructor(issuer: string, configuration: object)
    callback(): (request: IncomingMessage, response: ServerResponse) => void
    on(event: 'server_error', listener: (context: unknown, error: Error) => void): this
  }
}
