import { DryRun, Receipt } from '@portcullis/contracts'
import { Type } from '@sinclair/typebox'
import { type Command, Option } from 'commander'
import { CliError } from '../errors.js'
import { moment, wholeNumber } from '../options.js'
import { receiptText } from '../output/receipt.js'
import type { OpenSession, Session } from '../session.js'
import { readToken } from '../token-file.js'

/** `portcullis revoke …`: ends tokens, and says what became of their connections. */
export function revokeCommand(program: Command, open: OpenSession): void {
  program
    .command('revoke')
    .description('revoke tokens, close what stands on them, and show the receipt')
    .addOption(new Option('--token-file <file>', 'the token in this file; - is standard input'))
    .addOption(new Option('--jti <id>', 'the token with this id'))
    .addOption(new Option('--identity <identity>', 'all tokens of this identity'))
    .addOption(new Option('--subject <subject>', "the identity's tokens for this subject"))
    .addOption(new Option('--label <label>', "the identity's tokens with this label"))
    .addOption(new Option('--all', 'every token there is, yours too'))
    .option('--issued-before <time>', 'only those issued before: ISO 8601 or Unix ms', moment)
    .option('--reason <text>', 'kept with the revocation')
    .option('--dry-run', 'only count the tokens')
    .option('--wait <ms>', 'wait so long for every node to confirm', wholeNumber(0), 5000)
    .addHelpText(
      'after',
      '\nWith --subject or --label the identity is your own, unless --identity names another.\n' +
        'Exit code 1 when a node has not confirmed within --wait; the tokens are revoked all the same.',
    )
    .action(async (options: RevokeOptions, command: Command) => {
      const session = open(command)
      const { out } = session
      const { wait, dryRun, issuedBefore, reason } = options
      const json = {
        ...(await selector(session, options)),
        ...(issuedBefore === undefined ? {} : { issuedBefore }),
        ...(reason === undefined ? {} : { reason }),
        ...(dryRun ? { dryRun } : { wait }),
      }
      const call = { method: 'POST', json, timeoutMs: wait + 10_000 } as const
      const answer = await session
        .auth()
        .call(Type.Union([Receipt, DryRun]), '/v1/revocations', call)
      out.show(answer, () => receiptText(out, answer))
      if ('dryRun' in answer || answer.complete || wait === 0) return
      const late = answer.nodes.filter(({ state }) => state === 'pending').map(({ node }) => node)
      throw new CliError('failed', `revoked, but not yet confirmed by ${late.join(', ')}`)
    })
}

interface RevokeOptions {
  tokenFile?: string
  jti?: string
  identity?: string
  subject?: string
  label?: string
  all?: true
  issuedBefore?: number
  reason?: string
  dryRun?: true
  wait: number
}

/** The one selector that the options name. */
async function selector(session: Session, options: RevokeOptions): Promise<object> {
  const { tokenFile, jti, identity, subject, label, all } = options
  const named = [tokenFile, jti, subject, label, all].filter((value) => value !== undefined)
  const alone = tokenFile !== undefined || jti !== undefined || all !== undefined
  if (named.length > 1 || (alone && identity !== undefined)) {
    throw new CliError(
      'usage',
      'choose one selector; only --identity goes with --subject or --label',
    )
  }
  if (named.length === 0 && identity === undefined) {
    const choices = '--token-file, --jti, --identity, --subject, --label or --all'
    throw new CliError('usage', `say what to revoke: ${choices}`)
  }
  if (tokenFile !== undefined) return { token: await readToken(tokenFile, session.shell) }
  if (jti !== undefined) return { token: jti }
  if (all) return { all }
  const whose = { identity: identity ?? session.auth().identity }
  if (subject !== undefined) return { ...whose, subject }
  return label === undefined ? whose : { ...whose, label }
}
