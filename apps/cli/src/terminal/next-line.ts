import type { Interface } from 'node:readline'
import { CliError } from '../errors.js'

/** One line, and then no more. @throws CliError when the person stops it instead. */
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
