import { defined } from '@portcullis/contracts/defined'
import { DryRun, Receipt } from '@portcullis/contracts/revocations'
import { type Command, Option } from 'commander'
import { allScopes } from '../api/auth-api.js'
import { previewRevocation } from '../api/preview-revocation.js'
import { CliError } from '../errors.js'
import { readToken } from '../files/token-file.js'
import { followReceipt, requireConfirmed } from '../follow/follow-receipt.js'
import { timestamp } from '../options/parsers.js'
import { withReceiptOptions } from '../options/receipt-options.js'
import type { RevocationTarget } from '../output/preview.js'
import { receiptText, selectorText } from '../output/receipt.js'
import type { OpenSession, Session } from '../session/session.js'
import { confirm } from '../terminal/confirm.js'

interface SelectorOptions {
  tokenFile?: string
  jti?: string
  cascade?: true
  identity?: string
  subject?: string
  label?: string
  all?: true
}

interface RevokeOptions extends SelectorOptions {
  issuedBefore?: number
  reason?: string
  dryRun?: true
  yes?: true
  wait: number
  replicas?: number
}

/** `portcullis revoke` */
export function revokeCommand(program: Command, open: OpenSession): void {
  withReceiptOptions(
    program
      .command('revoke')
      .description('revoke tokens, close their connections, and show the receipt')
      .addOption(new Option('--token-file <file>', 'the token in this file; - is standard input'))
      .addOption(new Option('--jti <id>', 'the token with this id'))
      .addOption(
        new Option(
          '--cascade',
          'with --token-file or --jti: also tokens issued with it, directly or indirectly',
        ),
      )
      .addOption(new Option('--identity <identity>', 'all tokens of this identity'))
      .addOption(new Option('--subject <subject>', "the identity's tokens for this subject"))
      .addOption(new Option('--label <label>', "the identity's tokens with this label"))
      .addOption(new Option('--all', 'every token, your own included'))
      .option(
        '--issued-before <time>',
        'only tokens issued before (ISO 8601 or Unix ms)',
        timestamp,
      )
      .option('--reason <text>', 'reason, stored with the revocation')
      .option('--dry-run', 'show what would be revoked, and revoke nothing')
      .option('--yes', 'do not ask for confirmation'),
  )
    .addHelpText(
      'after',
      '\n--identity alone, --label, --cascade and --all show what would be revoked and ask for\n' +
        'confirmation; without a terminal they need --yes.\n' +
        '--subject and --label select tokens of your own identity, unless --identity names another.\n' +
        'A node that does not respond counts as confirmed when its lease expires (10 s by default).\n' +
        'Exit code 1 when a node has not confirmed within --wait, or fewer replicas than requested\n' +
        'have the revocation; the tokens are revoked nevertheless.',
    )
    .action(async (options: RevokeOptions, command: Command) => {
      await revoke(open(command), options)
    })
}

async function revoke(session: Session, options: RevokeOptions): Promise<void> {
  const { out } = session
  const { wait, dryRun, yes, issuedBefore, reason, replicas } = options
  const selector = await readSelector(session, options)
  const target = { ...selector, ...defined({ issuedBefore }) }
  const asks = needsConfirmation(selector) && !yes
  const previews = dryRun ? !out.json : asks
  const auth = session.auth(
    previews ? { scope: 'tokens:revoke tokens:read', orAll: true } : { scope: 'tokens:revoke' },
  )
  if (dryRun) {
    if (!out.json) {
      return out.line(await previewRevocation(out, auth, target))
    }
    const json = { ...target, dryRun }
    out.show(await auth.call(DryRun, '/v1/revocations', { method: 'POST', json }), () => '')
    return
  }
  if (needsConfirmation(selector)) {
    await confirm(session.shell, {
      yes,
      effect: `this revokes ${selectorText(selector)}`,
      preview: (remarks) => previewRevocation(remarks, auth, target),
      question: 'Revoke?',
    })
  }
  const json = { ...target, ...defined({ reason, replicas }) }
  const first = await auth.call(Receipt, '/v1/revocations', { method: 'POST', json })
  const receipt = await followReceipt(session, auth, first, wait)
  out.show(receipt, () => receiptText(out, receipt))
  requireConfirmed(receipt, wait)
}

/** Returns true when the selector covers more than one token or the tokens of one subject. */
function needsConfirmation({ token, cascade, subject }: RevocationTarget): boolean {
  return cascade === true || (token === undefined && subject === undefined)
}

/** Returns the selector that the options name. @throws CliError unless they name exactly one. */
async function readSelector(session: Session, options: SelectorOptions): Promise<RevocationTarget> {
  const { tokenFile, jti, cascade, identity, subject, label, all } = options
  const named = [tokenFile, jti, subject, label, all].filter((value) => value !== undefined)
  const alone = tokenFile !== undefined || jti !== undefined || all !== undefined
  if (named.length > 1 || (alone && identity !== undefined)) {
    throw new CliError(
      'usage',
      'give only one selector; only --identity can be combined with --subject or --label',
    )
  }
  if (named.length === 0 && identity === undefined) {
    const selectors = '--token-file, --jti, --identity, --subject, --label or --all'
    throw new CliError('usage', `nothing to revoke; give one of ${selectors}`)
  }
  const token = tokenFile === undefined ? jti : await readToken(tokenFile, session.shell)
  if (token !== undefined) {
    return { token, ...defined({ cascade }) }
  }
  if (cascade) {
    throw new CliError('usage', '--cascade needs --token-file or --jti')
  }
  if (all) {
    return { all }
  }
  const whose = identity ?? session.auth(allScopes).identity
  return { identity: whose, ...defined({ subject, label }) }
}
