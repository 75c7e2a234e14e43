import { type Command, Option } from 'commander'
import { moment } from './options.js'

/** Which tokens: the options of `withTokenFilter`. */
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

/** The options that narrow a list or a count of tokens, alike for each. */
export function withTokenFilter(command: Command): Command {
  return command
    .option('--identity <identity>', 'of this identity; default: your own')
    .addOption(new Option('--any', 'of every identity').conflicts('identity'))
    .option('--subject <subject>', 'only for this subject')
    .option('--label <label>', 'only with this label')
    .option('--parent <jti>', 'only what this token has issued, at any depth')
    .addOption(new Option('--state <state>', 'only in this state').choices(['active', 'revoked']))
    .option('--issued-after <time>', 'only issued then or later: ISO 8601 or Unix ms', moment)
    .option('--issued-before <time>', 'only issued before', moment)
    .option('--expires-before <time>', 'only those that end before', moment)
}

/** The same as a query of auth's; `own`: the caller's identity. */
export function tokenQuery(
  { any, identity, ...filter }: TokenFilter,
  own: string,
): URLSearchParams {
  // A parent has one identity, which auth knows.
  const whose = identity ?? (filter.parent === undefined ? own : undefined)
  const query = new URLSearchParams(any || whose === undefined ? {} : { identity: whose })
  for (const [name, value] of Object.entries(filter)) {
    query.set(name, `${value}`)
  }
  return query
}
