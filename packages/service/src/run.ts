import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { ConfigError } from './config.js'

export interface RunOptions {
  host: string
  port: number
  /** How long a close may take before the process ends anyway, in milliseconds. */
  closeDeadlineMs: number
}

/**
 * Listens, and closes the app once on SIGTERM, SIGINT or an uncaught error, within the deadline.
 * Only `main.ts` calls this.
 */
export async function run(
  app: FastifyInstance,
  { host, port, closeDeadlineMs }: RunOptions,
): Promise<void> {
  closeWithGrace({ delay: closeDeadlineMs, logger: app.log }, async ({ err, signal }) => {
    if (err) app.log.fatal({ err }, 'closing after an error')
    else app.log.info({ signal }, 'closing')
    await app.close()
  })
  await app.listen({ host, port })
}

/** Ends the process with one clear line when it cannot start. Only `main.ts` calls this. */
export function failToStart(error: unknown): never {
  const lines = error instanceof ConfigError ? error.problems : [messageOf(error)]
  for (const line of lines) process.stderr.write(`cannot start: ${line}\n`)
  process.exit(1)
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  const { code, port } = error as NodeJS.ErrnoException & { port?: number }
  return code === 'EADDRINUSE' ? `port ${port} is taken; choose another with PORT` : error.message
}
