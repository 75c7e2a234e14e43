import { type Static, Type } from '@sinclair/typebox'

/** Actions that a scope allows in a channel. */
export const channelActions = ['subscribe', 'publish', 'presence', 'history'] as const
export type ChannelAction = (typeof channelActions)[number]

/**
 * Scopes of services and people. `admin` includes all of them and every channel. `server` lets a
 * subject's token call the nodes' server API, as an identity's own tokens can.
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
const scopePattern = new RegExp(`^(?:${serviceScopes.join('|')}|${channelScope})$`)

/** One scope: a service scope, or `<action>:<channel pattern>`, exact or ending in `*`. */
export const Scope = Type.String({
  pattern: scopePattern.source,
  description:
    'a scope: a service scope, or subscribe, publish, presence or history with a channel, as in subscribe:news:*',
})

/** Upper bound of an identity's scopes. */
export const maxScopes = 64

/** Scopes as an identity has them. */
export const Scopes = Type.Array(Scope, { maxItems: maxScopes, uniqueItems: true })
export type Scopes = Static<typeof Scopes>

/** Scopes as OAuth writes them (RFC 6749 §3.3): separated by single spaces. */
export const ScopeText = Type.String({ maxLength: 4096 })

/** Splits OAuth's scope string. Returns undefined when a part is not a known scope. */
export function parseScope(text: string): readonly string[] | undefined {
  const parts = text.split(' ').filter((part) => part !== '')
  return parts.every((part) => scopePattern.test(part)) ? [...new Set(parts)] : undefined
}

/** Returns true if `scopes` include the service scope `wanted`, or `admin`. */
export function permits(scopes: readonly string[], wanted: ServiceScope): boolean {
  return scopes.includes(wanted) || scopes.includes('admin')
}

/** Returns true if `scopes` of a token for `subject` allow `action` in `channel`. */
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

/** Stands for every subject at once: no subject and no scope may contain this character. */
const anySubject = '\u0000'

/**
 * Returns true if `wanted` is one of the scopes in `ceiling`, or lies inside one of their patterns.
 * `{sub}` stands for `subject` in both; without `subject` the result holds for every subject.
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

/** The identity and the subject of a token, and their scopes. */
export interface ScopeHolder {
  identity: string
  subject: string
  scopes: readonly string[]
}

/**
 * Returns the scopes that a holder can give to an identity. `{sub}` is replaced by the holder's
 * subject, because with `{sub}` each subject gets another channel. An identity's own token can also
 * give scopes with `{sub}` to that same identity and its subjects.
 *
 * @param identity - the receiving identity; absent when it has no name yet
 */
export function scopesToGive(holder: ScopeHolder, identity?: string): readonly string[] {
  const { scopes, subject } = holder
  const written = scopes.flatMap((scope) => withSubject(scope, subject))
  const isOwn = subject === holder.identity && identity === subject
  return isOwn ? [...new Set([...scopes, ...written])] : written
}

/** Returns the scope with `{sub}` replaced; empty when the result is a pattern or not a scope. */
function withSubject(scope: string, subject: string): string[] {
  if (!scope.includes('{sub}')) {
    return [scope]
  }
  const text = scope.replaceAll('{sub}', () => subject)
  const isExact = !subject.includes('*') && !text.includes('{sub}')
  return isExact && scopePattern.test(text) ? [text] : []
}

/** A channel pattern: `text` is an exact name, or with `open` the text before the `*`. */
interface Pattern {
  text: string
  open: boolean
}

/** Reads the `*` before it replaces `{sub}`, so that a subject named `*` matches no other channel. */
function patternOf(scope: string, subject: string): Pattern {
  const pattern = scope.slice(scope.indexOf(':') + 1)
  const open = pattern.endsWith('*')
  const text = open ? pattern.slice(0, -1) : pattern
  return { text: text.replaceAll('{sub}', () => subject), open }
}

function matches({ text, open }: Pattern, channel: string): boolean {
  return open ? channel.startsWith(text) : channel === text
}
