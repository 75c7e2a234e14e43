import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CliError } from '../errors.js'
import { nextLine } from './next-line.js'
import type { Shell } from './shell.js'

/**
 * Asks for a secret on the terminal. The typed text is not echoed and enters no history.
 *
 * @throws CliError when the line is empty, or at Ctrl-C or Ctrl-D.
 */
export async function askSecret({ stdin, stderr }: Shell, question: string): Promise<string> {
  // readline edits the line as usual; its echo is discarded.
  const discard = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: discard, terminal: true, historySize: 0 })
  stderr.write(question)
  const secret = await nextLine(lines).finally(() => stderr.write('\n'))
  if (secret.trim() !== '') {
    return secret.trim()
  }
  throw new CliError('failed', 'nothing was typed')
}
