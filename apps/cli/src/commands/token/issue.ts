import { defined } from '@portcullis/contracts/defined'
import { TokenResponse } from '@portcullis/contracts/tokens'
import type { Command } from 'commander'
import { writeToken } from '../../files/token-file.js'
import { issuingScope } from '../../options/issuing-scope.js'
import { collect, wholeNumber } from '../../options/parsers.js'
import { tokenFields } from '../../output/token.js'
import type { OpenSession } from '../../session/session.js'

interface IssueOptions {
  subject: string
  scope?: string
  channel?: string
  ttl?: number
  label?: string[]
  out?: string
}

/** The issuing token lives longer than the issued one by the time that the request may take. */
const marginSeconds = 60

export function issueCommand(token: Command, open: OpenSession): void {
  token
    .command('issue')
    .description('issue a token for a user; in a pipe, stdout is the token alone')
    .requiredOption('--subject <subject>', 'the user that the token is for')
    .option('--scope <scopes>', 'scopes of the token; default: your channel scopes')
    .option('--channel <channel>', 'for this channel alone; clients send it in a subscribe')
    .option('--ttl <seconds>', 'lifetime of the token', wholeNumber(1))
    .option('--label <label>', 'label to revoke the token by; repeatable', collect)
    .option('--out <file>', 'write the token to this file, readable by you alone')
    .action(async (options: IssueOptions, command: Command) => {
      const { auth, out, shell } = open(command)
      const { subject, scope, channel, ttl, label } = options
      const json = { subject, ...defined({ scope, channel, ttlSeconds: ttl, labels: label }) }
      const api = auth({
        scope: issuingScope(channel === undefined ? scope : `subscribe:${channel}`),
        orAll: true,
        // The issued token ends with the token that issues it, which therefore stays.
        lifetimeSeconds: ttl === undefined ? 'identity' : ttl + marginSeconds,
        outlives: true,
      })
      const answer = await api.call(TokenResponse, '/v1/tokens', { method: 'POST', json })
      const { access_token, ...details } = answer
      if (ttl !== undefined && details.expires_in < ttl) {
        out.note('the token expires sooner than requested: with your own token, which issued it')
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
}
