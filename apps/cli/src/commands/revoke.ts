import { DryRun, Receipt } from '@portcullis/contracts/revocations'
import { type Command, Option } from 'commander'
import { preview } from '../api/preview-revocation.js'
import { CliError } from '../errors.js'
import { readToken } from '../files/token-file.js'
import { followReceipt, requireConfirmed } from '../follow/follow-receipt.js'
import { moment, withReceiptOptions } from '../options/options.js'
import type { RevocationTarget } from '../output/preview.js'
import { coversText, receiptText } from '../output/receipt.js'
import type { OpenSession, Session } from '../session/session.js'
import { confirm } from '../terminal/confirm.js'

/** `portcullis revoke …`: ends tokens, and says what became of their connections. */
export function revokeCommand(program: Command, open: OpenSession): void {
  withReceiptOptions(
    program
      .command('revoke')
      .description('revoke tokens, close what stands on them, and show the receipt')
      .addOption(new Option('--token-file <file>', 'the token in this file; - is standard input'))
      .addOption(new Option('--jti <id>', 'the token with this id'))
      .addOption(new Option('--cascade', 'with --token-file or --jti: and all that it has issued'))
      .addOption(new Option('--identity <identity>', 'all tokens of this identity'))
      .addOption(new Option('--subject <subject>', "the identity's tokens for this subject"))
      .addOption(new Option('--label <label>', "the identity's tokens with this label"))
      .addOption(new Option('--all', 'every token there is, yours too'))
      .option('--issued-before <time>', 'only those issued before: ISO 8601 or Unix ms', moment)
      .option('--reason <text>', 'kept with the revocation')
      .option('--dry-run', 'only show what would be revoked')
      .option('--yes', 'do not ask, however much it covers'),
  )
    .addHelpText(
      'after',
      '\nWith --identity alone, --label, --cascade or --all it shows what it covers, and asks; where there\n' +
        'is no terminal to ask on it needs --yes.\n' +
        'A node that is gone confirms when its lease is out, 10 s as auth is set by default.\n' +
        'With --subject or --label the identity is your own, unless --identity names another.\n' +
        'Exit code 1 when a node has not confirmed within --wait, or fewer replicas than asked have it;\n' +
        'the tokens are revoked all the same.',
    )
    .action(async (options: RevokeOptions, command: Command) => {
      const session = open(command)
      const { out } = session
      const { wait, dryRun, yes, issuedBefore, reason, replicas } = options
      const chosen = await selector(session, options)
      const which = { ...chosen, ...(issuedBefore === undefined ? {} : { issuedBefore }) }
      const auth = session.auth()
      if (dryRun) {
        if (!out.json) {
          return out.line(await preview(out, auth, which))
        }
        const json = { ...which, dryRun }
        out.show(await auth.call(DryRun, '/v1/revocations', { method: 'POST', json }), () => '')
        return
      }
      if (isWide(chosen)) {
        await confirm(session.shell, {
          yes,
          what: `this revokes ${coversText(chosen)}`,
          preview: (remarks) => preview(remarks, auth, which),
          question: 'Revoke?',
        })
      }
      const json = {
        ...which,
        ...(reason === undefined ? {} : { reason }),
        ...(replicas === undefined ? {} : { replicas }),
      }
      const first = await auth.call(Receipt, '/v1/revocations', { method: 'POST', json })
      const receipt = await followReceipt(session, auth, first, wait)
      out.show(receipt, () => receiptText(out, receipt))
      requireConfirmed(receipt, wait)
    })
}

/** More than one token, or the tokens of one subject. */
function isWide({ token, cascade, subject }: RevocationTarget): boolean {
  return cascade === true || (token === undefined && subject === undefined)
}

interface RevokeOptions {
  tokenFile?: string
  jti?: string
  cascade?: true
  identity?: string
  subject?: string
  label?: string
  all?: true
  issuedBefore?: number
  reason?: string
  dryRun?: true
  yes?: true
  wait: number
  replicas?: number
}

/** The one selector that the options name. */
async function selector(session: Session, options: RevokeOptions): Promise<RevocationTarget> {
  const { tokenFile, jti, cascade, identity, subject, label, all } = options
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
  const token = tokenFile === undefined ? jti : await readToken(tokenFile, session.shell)
  if (token !== undefined) {
    return { token, ...(cascade === undefined ? {} : { cascade }) }
  }
  if (cascade) {
    throw new CliError('usage', '--cascade goes with --token-file or --jti')
  }
  if (all) {
    return { all }
  }
  const whose = { identity: identity ?? session.auth().identity }
  if (subject !== undefined) {
    return { ...whose, subject }
  }
  return label === undefined ? whose : { ...whose, label }
}
