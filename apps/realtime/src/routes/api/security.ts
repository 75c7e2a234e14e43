import type { ServiceScope } from '@portcullis/contracts/scopes'

/** How callers of the server API show who they are, as its description has it. */
export const securitySchemes = {
  token: {
    type: 'http',
    scheme: 'bearer',
    description:
      "An identity's own token, or one with the scope `server`; a user's token is refused (403). A command on a channel wants the scope for that channel.",
  },
  key: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same token.' },
} as const

/** What a command asks for of its caller, beside what the channels in its body ask for. */
export function security(scope?: ServiceScope): Record<string, string[]>[] {
  const scopes = scope === undefined ? [] : [scope]
  return [{ token: scopes }, { key: scopes }]
}
