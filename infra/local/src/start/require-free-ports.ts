import { createServer } from 'node:net'
import { LocalError } from '../errors.js'

export interface WantedPort {
  name: string
  port: number
  /** The option that selects another port. */
  option: string
}

/**
 * Checks that every port can be listened on at `host`, before anything is started.
 *
 * @throws LocalError `port_taken` naming all that cannot.
 */
export async function requireFreePorts(host: string, wanted: readonly WantedPort[]): Promise<void> {
  const problems: string[] = []
  for (const { name, port, option } of wanted) {
    const problem = await tryPort(host, port)
    if (problem !== undefined) {
      problems.push(`${problem}, which ${name} needs (${option} chooses)`)
    }
  }
  if (problems.length === 0) {
    return
  }
  throw new LocalError('port_taken', problems.join('; '))
}

function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(
        code === 'EADDRINUSE'
          ? `port ${port} is taken by another program`
          : `port ${port} cannot be listened on (${code})`,
      ),
    )
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
