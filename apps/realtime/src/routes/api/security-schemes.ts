import type { ServiceScope } from '@portcullis/contracts/scopes'

/** OpenAPI security schemes of the server API. */
export const securitySchemes = {
  token: {
    type: 'http',
    scheme: 'bearer',
    description:
      "An identity's own token, or one with the scope `server`; a user's token is refused (403). A command on a channel needs the scope for that channel.",
  },
  key: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same token.' },
} as const

/** Returns the OpenAPI security of a command with this scope. */
export function security(scope?: ServiceScope): Record<string, string[]>[] {
  const scopes = scope === undefined ? [] : [scope]
  return [{ token: scopes }, { key: scopes }]
}
