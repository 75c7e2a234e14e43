import { type Command, Option } from 'commander'
import { timestamp } from './parsers.js'

/** The options that `withTokenFilter` adds. */
export interface TokenFilter {
  identity?: string
  any?: true
  subject?: string
  label?: string
  parent?: string
  state?: string
  issuedAfter?: number
  issuedBefore?: number
  expiresBefore?: number
}

/** Adds the options that select tokens. */
export function withTokenFilter(command: Command): Command {
  return command
    .option('--identity <identity>', 'tokens of this identity; default: your own')
    .addOption(new Option('--any', 'tokens of every identity').conflicts('identity'))
    .option('--subject <subject>', 'only for this subject')
    .option('--label <label>', 'only with this label')
    .option('--parent <jti>', 'only tokens issued with this token, directly or indirectly')
    .addOption(new Option('--state <state>', 'only in this state').choices(['active', 'revoked']))
    .option('--issued-after <time>', 'only issued at or after (ISO 8601 or Unix ms)', timestamp)
    .option('--issued-before <time>', 'only issued before', timestamp)
    .option('--expires-before <time>', 'only expiring before', timestamp)
}

/** Returns the filter as a query for auth. `own`: the caller's identity. */
export function tokenQuery(
  { any, identity, ...filter }: TokenFilter,
  own: string,
): URLSearchParams {
  // Auth knows the identity of a parent token.
  const whose = identity ?? (filter.parent === undefined ? own : undefined)
  const query = new URLSearchParams(any || whose === undefined ? {} : { identity: whose })
  for (const [name, value] of Object.entries(filter)) {
    query.set(name, `${value}`)
  }
  return query
}
