import { resolve } from 'node:path'
import { CliError } from '../errors.js'
import { createPrivateFile } from '../files/private-file.js'
import { codeText } from '../output/identity.js'
import type { Session } from './session.js'

interface WithCode {
  registrationCode: string
}

interface HandOver<Created extends WithCode> {
  /** `--out`: the file for the code. */
  file: string | undefined
  /** Replaces an existing file. */
  replace: boolean
  /** Asks auth for the code. Called only once the code can be stored or shown. */
  create(): Promise<Created>
  /** Returns the text to show besides the code. */
  text(created: Created): string
}

/**
 * Creates a registration code and hands it to the user, once: in a file, as JSON with `--json`, or on
 * a terminal. The code never goes to a pipe or a log unless `--json` asks for it.
 *
 * @throws CliError before the code is created, when there is no place for it.
 */
export async function handOverCode<Created extends WithCode>(
  { out, shell }: Session,
  { file, replace, create, text }: HandOver<Created>,
): Promise<void> {
  if (file === undefined) {
    if (!out.json && shell.stdout.isTTY !== true) {
      throw new CliError(
        'usage',
        'a registration code is shown on a terminal only; add --out <file> to store it in a file ' +
          'that only you can read, or --json',
      )
    }
    const created = await create()
    out.show(created, () => `${text(created)}\n\n${codeText(out, created.registrationCode)}`)
    return
  }
  const codeFile = createPrivateFile(resolve(shell.cwd, file), { replace })
  try {
    const created = await create()
    const { registrationCode, ...rest } = created
    codeFile.write(`${registrationCode}\n`)
    const shown = `${text(created)}\n\nThe registration code is in ${file}.`
    out.show({ ...rest, out: file }, () => shown)
  } finally {
    codeFile.discard()
  }
}
