import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CliError } from '../errors.js'
import { nextLine } from './next-line.js'
import type { Shell } from './shell.js'

/**
 * Asks on the terminal for something that nobody may read over a shoulder or in a scroll-back:
 * what is typed is shown nowhere, and goes into no history.
 *
 * @throws CliError when nothing is typed, or the person stops it with Ctrl-C or Ctrl-D.
 */
export async function askSecret({ stdin, stderr }: Shell, question: string): Promise<string> {
  // readline edits the line as ever; what it would draw goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 })
  stderr.write(question)
  const secret = await nextLine(lines).finally(() => stderr.write('\n'))
  if (secret.trim() !== '') {
    return secret.trim()
  }
  throw new CliError('failed', 'nothing was typed')
}
