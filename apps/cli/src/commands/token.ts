import { Introspection } from '@portcullis/contracts/introspection'
import {
  IdentityCountPage,
  TokenCount,
  TokenInfo,
  TokenPage,
  TokenResponse,
} from '@portcullis/contracts/tokens'
import type { Command } from 'commander'
import { firstRows } from '../api/first-rows.js'
import { CliError } from '../errors.js'
import { readToken, writeToken } from '../files/token-file.js'
import { each, wholeNumber } from '../options/options.js'
import { type TokenFilter, tokenQuery, withTokenFilter } from '../options/token-filter.js'
import {
  identityCounts,
  introspectionText,
  tokenCountText,
  tokenFields,
  tokenList,
} from '../output/token.js'
import type { OpenSession } from '../session/session.js'

/** `portcullis token …`: tokens that auth has issued. */
export function tokenCommands(program: Command, open: OpenSession): void {
  const token = program.command('token').description('tokens that auth issues')

  token
    .command('issue')
    .description('a token for one of your users; only the token goes to stdout in a pipe')
    .requiredOption('--subject <subject>', 'whom it speaks for')
    .option('--scope <scopes>', 'what it may do; default: your channel scopes')
    .option('--channel <channel>', 'for this channel alone, to be shown in a subscribe')
    .option('--ttl <seconds>', 'its lifetime', wholeNumber(1))
    .option('--label <label>', 'to revoke it by; may be repeated', each)
    .option('--out <file>', 'write it there, readable by you alone')
    .action(async (options: IssueOptions, command: Command) => {
      const { auth, out, shell } = open(command)
      const { subject, scope, channel, ttl, label } = options
      const json = {
        subject,
        ...(scope === undefined ? {} : { scope }),
        ...(channel === undefined ? {} : { channel }),
        ...(ttl === undefined ? {} : { ttlSeconds: ttl }),
        ...(label === undefined ? {} : { labels: label }),
      }
      const answer = await auth().call(TokenResponse, '/v1/tokens', { method: 'POST', json })
      const { access_token, ...details } = answer
      if (ttl !== undefined && details.expires_in < ttl) {
        out.note('it ends sooner than asked for: with your own token, which issued it')
      }
      if (options.out !== undefined) {
        writeToken(options.out, access_token, shell)
        const shown = { ...details, out: options.out }
        out.show(shown, () => out.fields(tokenFields(subject, details, options.out)))
      } else if (out.json) {
        out.show(answer, () => '')
      } else {
        out.noteFields(tokenFields(subject, details))
        out.line(access_token)
      }
    })

  withTokenFilter(token.command('list').description('tokens that have not expired, newest first'))
    .option('--limit <n>', 'show at most so many', wholeNumber(1), 100)
    .action(async ({ limit: most, ...filter }: ListOptions, command: Command) => {
      const { auth, out } = open(command)
      const api = auth()
      const query = tokenQuery(filter, api.identity)
      const { rows, more } = await firstRows(most, async (limit, cursor) => {
        query.set('limit', `${limit}`)
        if (cursor !== undefined) {
          query.set('cursor', cursor)
        }
        const { tokens, ...rest } = await api.call(TokenPage, `/v1/tokens?${query}`)
        return { rows: tokens, ...rest }
      })
      out.show({ tokens: rows, more }, () =>
        tokenList(out, rows, { identity: filter.any === true }),
      )
      if (more) {
        out.note('there are more; use --limit')
      }
    })

  withTokenFilter(token.command('count').description('how many tokens there are'))
    .option('--by-identity', 'of each identity')
    .option('--limit <n>', 'with --by-identity: show at most so many', wholeNumber(1), 100)
    .action(async ({ byIdentity, limit: most, ...filter }: CountOptions, command: Command) => {
      const { auth, out } = open(command)
      const api = auth()
      const query = tokenQuery(byIdentity ? { any: true, ...filter } : filter, api.identity)
      if (!byIdentity) {
        const count = await api.call(TokenCount, `/v1/tokens/count?${query}`)
        out.show(count, () => tokenCountText(out, count))
        return
      }
      if (filter.identity !== undefined) {
        throw new CliError('usage', '--by-identity counts every identity; leave --identity out')
      }
      const { rows, more } = await firstRows(most, async (limit, cursor) => {
        query.set('limit', `${limit}`)
        if (cursor !== undefined) {
          query.set('cursor', cursor)
        }
        const path = `/v1/tokens/count/by-identity?${query}`
        const { identities, ...rest } = await api.call(IdentityCountPage, path)
        return { rows: identities, ...rest }
      })
      out.show({ identities: rows, more }, () => identityCounts(out, rows))
      if (more) {
        out.note('there are more; use --limit')
      }
    })

  token
    .command('show')
    .description('what the registry knows of a token')
    .argument('<jti>', "the token's id")
    .action(async (jti: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const info = await auth().call(TokenInfo, `/v1/tokens/${encodeURIComponent(jti)}`)
      out.show(info, () => out.fields(tokenFields(info.subject, info)))
    })

  token
    .command('introspect')
    .description('ask auth whether a token is active')
    .option('--token-file <file>', 'the token is there; default: on standard input', '-')
    .action(async ({ tokenFile }: { tokenFile: string }, command: Command) => {
      const { auth, out, shell } = open(command)
      const form = { token: await readToken(tokenFile, shell) }
      const answer = await auth().call(Introspection, '/oauth/introspect', { method: 'POST', form })
      out.show(answer, () => introspectionText(out, answer))
    })
}

interface IssueOptions {
  subject: string
  scope?: string
  channel?: string
  ttl?: number
  label?: string[]
  out?: string
}

interface ListOptions extends TokenFilter {
  limit: number
}

interface CountOptions extends ListOptions {
  byIdentity?: true
}
