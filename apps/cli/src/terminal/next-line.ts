import type { Interface } from 'node:readline'
import { CliError } from '../errors.js'

/** Reads one line and closes `lines`. @throws CliError at Ctrl-C or Ctrl-D. */
export async function nextLine(lines: Interface): Promise<string> {
  try {
    return await new Promise((resolve, reject) => {
      const stopped = () => reject(new CliError('failed', 'stopped; nothing was done'))
      lines.once('line', resolve).once('SIGINT', stopped).once('close', stopped)
    })
  } finally {
    lines.close()
  }
}
