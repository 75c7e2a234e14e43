import { createInterface } from 'node:readline'
import { CliError } from '../errors.js'
import { type Output, output } from '../output/output.js'
import { isInteractive } from './is-interactive.js'
import { nextLine } from './next-line.js'
import type { Shell } from './shell.js'

export interface Confirmation {
  /** `--yes`: skips the question. */
  yes: boolean | undefined
  /** The effect of the command, for an error message: `this revokes every token`. */
  effect: string
  /** Returns the text above the question; called only when the question is asked. */
  preview: (out: Output) => Promise<string>
  question: string
}

/**
 * Shows what a command would do and asks the user; returns when the answer is yes, or with `--yes`.
 *
 * @throws CliError `usage` without a terminal, `failed` when the answer is not yes.
 */
export async function confirm(
  shell: Shell,
  { yes, effect, preview, question }: Confirmation,
): Promise<void> {
  if (yes) {
    return
  }
  if (!isInteractive(shell)) {
    throw new CliError('usage', `${effect}, and there is no terminal to confirm it on; add --yes`)
  }
  // Questions go to stderr, so colours and width are those of stderr.
  const out = output({ stdout: shell.stderr, stderr: shell.stderr }, shell.env, false)
  out.line(`${await preview(out)}\n`)
  const lines = createInterface({ input: shell.stdin, output: shell.stderr, terminal: true })
  lines.setPrompt(`${out.paint.bold(question)} [y/N] `)
  lines.prompt()
  const answer = await nextLine(lines)
  if (/^y(es)?$/i.test(answer.trim())) {
    return
  }
  throw new CliError('failed', 'not confirmed; nothing was done')
}
