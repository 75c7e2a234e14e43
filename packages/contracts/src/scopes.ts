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
  if (scopes.includes('admin')) {
    return true
  }
  return scopes.some(
    (scope) => scope.startsWith(`${action}:`) && matches(patternOf(scope, subject), channel),
  )
}

/** Stands for every subject at once. No subject and no scope may contain this character. */
const anySubject = '\u0000'

/**
 * Returns true when `wanted` is one of the scopes in `ceiling`, or lies inside one of their patterns. In
 * both `{sub}` stands for `subject`; without one the answer holds for every subject.
 */
export function covers(
  ceiling: readonly string[],
  wanted: string,
  subject: string = anySubject,
): boolean {
  if (ceiling.includes('admin') || ceiling.includes(wanted)) {
    return true
  }
  const action = channelActions.find((candidate) => wanted.startsWith(`${candidate}:`))
  if (action === undefined) {
    return false
  }
  const inner = patternOf(wanted, subject)
  return ceiling.some((held) => {
    if (!held.startsWith(`${action}:`)) {
      return false
    }
    const outer = patternOf(held, subject)
    return inner.open ? outer.open && inner.text.startsWith(outer.text) : matches(outer, inner.text)
  })
}

/** Holder of scopes: the identity and the subject of a token. */
export interface ScopeHolder {
  identity: string
  subject: string
  scopes: readonly string[]
}

/**
 * Returns the scopes that a holder can give to an identity. `{sub}` is written out as the holder's
 * subject, because the same scope opens another channel to another subject. An identity's own token also
 * keeps `{sub}` as it stands, for that identity and its subjects.
 *
 * @param identity - that gets the scopes; absent when it has no name yet
 */
export function scopesToGive(holder: ScopeHolder, identity?: string): readonly string[] {
  const { scopes, subject } = holder
  const written = scopes.flatMap((scope) => writtenOut(scope, subject))
  const isOwn = subject === holder.identity && identity === subject
  return isOwn ? [...new Set([...scopes, ...written])] : written
}

/** Returns the scope with `{sub}` replaced; nothing when the result is a pattern or no scope. */
function writtenOut(scope: string, subject: string): string[] {
  if (!scope.includes('{sub}')) {
    return [scope]
  }
  const text = scope.replaceAll('{sub}', () => subject)
  const isExact = !subject.includes('*') && !text.includes('{sub}')
  return isExact && scopePattern.test(text) ? [text] : []
}

/** A channel pattern: the text before the `*`, and whether there was one. */
interface Pattern {
  text: string
  open: boolean
}

/**
 * The `*` is looked for before `{sub}` is filled in, so a subject named `*` opens nothing.
 */
function patternOf(scope: string, subject: string): Pattern {
  const pattern = scope.slice(scope.indexOf(':') + 1)
  const open = pattern.endsWith('*')
  const text = open ? pattern.slice(0, -1) : pattern
  return { text: text.replaceAll('{sub}', () => subject), open }
}

function matches({ text, open }: Pattern, channel: string): boolean {
  return open ? channel.startsWith(text) : channel === text
}
