import { createInterface } from 'node:readline'
import { CliError } from '../errors.js'
import { type Output, output } from '../output/output.js'
import { isInteractive } from './is-interactive.js'
import { nextLine } from './next-line.js'
import type { Shell } from './shell.js'

export interface Confirmation {
  /** `--yes` was given: nobody is asked. */
  yes: boolean | undefined
  /** What the command does, for a message: `this revokes every token`. */
  what: string
  /** What is shown before the question; only made when there is somebody to show it to. */
  preview: (remarks: Output) => Promise<string>
  question: string
}

/**
 * Goes on only when a person has seen what a wide command would do and said yes, or a script said
 * `--yes`.
 *
 * @throws CliError `usage` where nobody can be asked, `failed` when the answer is no.
 */
export async function confirm(
  shell: Shell,
  { yes, what, preview, question }: Confirmation,
): Promise<void> {
  if (yes) {
    return
  }
  if (!isInteractive(shell)) {
    throw new CliError('usage', `${what}, and there is no terminal to ask on: add --yes to do it`)
  }
  // Stdout may lead elsewhere: what is asked has the colours and the width of stderr.
  const remarks = output({ stdout: shell.stderr, stderr: shell.stderr }, shell.env, false)
  remarks.line(`${await preview(remarks)}\n`)
  const lines = createInterface({ input: shell.stdin, output: shell.stderr, terminal: true })
  lines.setPrompt(`${remarks.paint.bold(question)} [y/N] `)
  lines.prompt()
  const answer = await nextLine(lines)
  if (/^y(es)?$/i.test(answer.trim())) {
    return
  }
  throw new CliError('failed', 'the answer was not yes; nothing was done')
}
