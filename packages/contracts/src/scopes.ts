import { type Static, Type } from '@sinclair/typebox'

/** What a token may do in a channel. */
export const channelActions = ['subscribe', 'publish', 'presence', 'history'] as const
export type ChannelAction = (typeof channelActions)[number]

/**
 * What services and people may do; `admin` includes all of these and every channel. `server` makes the
 * token of a subject a service's, for the server API of the nodes, as an identity's own tokens are.
 */
export const serviceScopes = [
  'introspect',
  'feed',
  'tokens:issue',
  'tokens:read',
  'tokens:revoke',
  'identities:read',
  'identities:write',
  'nodes:read',
  'audit:read',
  'keys:write',
  'events:read',
  'server',
  'admin',
] as const
export type ServiceScope = (typeof serviceScopes)[number]

const channelScope = `(?:${channelActions.join('|')}):[!#-)+-\\[\\]-~]{0,254}[!#-\\[\\]-~]`

/** One scope: a service scope, or `<action>:<channel pattern>`, exact or ending in `*`. */
export const Scope = Type.String({ pattern: `^(?:${serviceScopes.join('|')}|${channelScope})$` })

/** Scopes as an identity keeps them. */
export const Scopes = Type.Array(Scope, { maxItems: 64, uniqueItems: true })
export type Scopes = Static<typeof Scopes>

/** Scopes as OAuth writes them (RFC 6749 §3.3): separated by single spaces. */
export const ScopeText = Type.String({ maxLength: 4096 })

const scopePattern = new RegExp(Scope.pattern ?? '')

/** Splits OAuth's scope string. Gives undefined when a part is not one of our scopes. */
export function parseScope(text: string): readonly string[] | undefined {
  const parts = text.split(' ').filter((part) => part !== '')
  return parts.every((part) => scopePattern.test(part)) ? [...new Set(parts)] : undefined
}

/** Whether `scopes` include the service scope `wanted`. */
export function permits(scopes: readonly string[], wanted: ServiceScope): boolean {
  return scopes.includes(wanted) || scopes.includes('admin')
}

/** Whether `scopes` of a token for `subject` allow `action` in `channel`. */
export function permitsChannel(
  scopes: readonly string[],
  subject: string,
  action: ChannelAction,
  channel: string,
): boolean {
  if (scopes.includes('admin')) return true
  return scopes.some(
    (scope) => scope.startsWith(`${action}:`) && matches(patternOf(scope, subject), channel),
  )
}

/**
 * Whether someone who holds `ceiling` may pass `wanted` on: each wanted scope is held, or lies
 * inside a held pattern. `{sub}` is compared as it stands, and, with `subject`, as that subject.
 */
export function covers(ceiling: readonly string[], wanted: string, subject?: string): boolean {
  if (ceiling.includes('admin') || ceiling.includes(wanted)) return true
  const action = channelActions.find((candidate) => wanted.startsWith(`${candidate}:`))
  if (action === undefined) return false
  const inner = patternOf(wanted, subject)
  return ceiling.some((held) => {
    if (!held.startsWith(`${action}:`)) return false
    const outer = patternOf(held, subject)
    return inner.open ? outer.open && inner.text.startsWith(outer.text) : matches(outer, inner.text)
  })
}

/** A channel pattern: the text before the `*`, and whether there was one. */
interface Pattern {
  text: string
  open: boolean
}

/**
 * The `*` is looked for before `{sub}` is filled in, so a subject named `*` opens nothing.
 */
function patternOf(scope: string, subject: string | undefined): Pattern {
  const pattern = scope.slice(scope.indexOf(':') + 1)
  const open = pattern.endsWith('*')
  const text = open ? pattern.slice(0, -1) : pattern
  return { text: subject === undefined ? text : text.replaceAll('{sub}', () => subject), open }
}

function matches({ text, open }: Pattern, channel: string): boolean {
  return open ? channel.startsWith(text) : channel === text
}
