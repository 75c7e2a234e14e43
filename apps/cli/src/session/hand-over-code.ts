import { resolve } from 'node:path'
import { CliError } from '../errors.js'
import { openOwnFile } from '../files/own-file.js'
import { codeText } from '../output/identity.js'
import type { Session } from './session.js'

interface Coded {
  registrationCode: string
}

interface HandOver<Made extends Coded> {
  /** `--out`: the code goes into this file, for its owner alone. */
  file: string | undefined
  /** Over a file that is there already. */
  replace: boolean
  /** Has auth make the code. Only asked once there is a place for it. */
  make(): Promise<Made>
  /** What else there is to show, without the code. */
  text(made: Made): string
}

/**
 * Has a registration code made, and hands it over the one time that it is shown: into a file, as JSON
 * where that was asked for, or on a terminal. Never into a pipe or a log that nobody thought of.
 *
 * @throws CliError before anything is made, when there is no place for it.
 */
export async function handOverCode<Made extends Coded>(
  { out, shell }: Session,
  { file, replace, make, text }: HandOver<Made>,
): Promise<void> {
  if (file === undefined) {
    if (!out.json && shell.stdout.isTTY !== true) {
      throw new CliError(
        'usage',
        'a registration code is shown on a terminal only; add --out <file> to have it in a file ' +
          'for you alone, or --json',
      )
    }
    const made = await make()
    out.show(made, () => `${text(made)}\n\n${codeText(out, made.registrationCode)}`)
    return
  }
  const kept = openOwnFile(resolve(shell.cwd, file), { replace })
  try {
    const made = await make()
    const { registrationCode, ...rest } = made
    kept.write(`${registrationCode}\n`)
    out.show({ ...rest, out: file }, () => `${text(made)}\n\nThe registration code is in ${file}.`)
  } finally {
    kept.discard()
  }
}
