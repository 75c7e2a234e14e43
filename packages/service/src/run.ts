import { Server } from 'node:tls'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { ConfigError } from './config.js'
import type { ServerTls } from './tls.js'

export interface RunOptions {
  host: string
  port: number
  /** The address of `app.internal`, if it is a separate server. */
  internal?: { host: string; port: number | undefined }
  /** How long a close may take before the process exits anyway, in milliseconds. */
  closeDeadlineMs: number
  /** Reads the certificate again; for a server that listens with TLS. */
  renewTls?: () => ServerTls | undefined
}

/**
 * Listens, and closes the app once on SIGTERM, SIGINT or an uncaught error, within the deadline. On SIGHUP,
 * reads the certificate again for new connections. Only `main.ts` calls this.
 */
export async function run(
  app: FastifyInstance,
  { host, port, internal, closeDeadlineMs, renewTls }: RunOptions,
): Promise<void> {
  const { server } = app
  // Without TLS, SIGHUP ends the process as usual.
  const renews = renewTls !== undefined && server instanceof Server
  if (renews) {
    process.on('SIGHUP', () => renew(app, server, renewTls))
  }
  const skip: ['SIGHUP'] | [] = renews ? ['SIGHUP'] : []
  closeWithGrace({ delay: closeDeadlineMs, logger: app.log, skip }, async ({ err, signal }) => {
    if (err) {
      app.log.fatal({ err }, 'closing after an error')
    } else {
      app.log.info({ signal }, 'closing')
    }
    await app.close()
  })
  if (internal?.port !== undefined && app.internal !== undefined && app.internal !== app) {
    await app.internal.listen({ host: internal.host, port: internal.port })
  }
  await app.listen({ host, port })
}

/** Replaces the certificate; keeps the old one if the new one is invalid. */
function renew(app: FastifyInstance, server: Server, read: () => ServerTls | undefined): void {
  try {
    const tls = read()
    if (tls === undefined) {
      throw new Error('TLS cannot be switched off while the service runs')
    }
    server.setSecureContext(tls)
    app.log.info('TLS certificate read again')
  } catch (err) {
    app.log.error({ err }, 'TLS certificate not renewed; the old one stays')
  }
}

/** Prints why the process cannot start, and exits. Only `main.ts` calls this. */
export function failToStart(error: unknown): never {
  const lines = error instanceof ConfigError ? error.problems : [messageOf(error)]
  for (const line of lines) {
    process.stderr.write(`cannot start: ${line}\n`)
  }
  process.exit(1)
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return 'unknown error'
  }
  const { code, port } = error as NodeJS.ErrnoException & { port?: number }
  return code === 'EADDRINUSE'
    ? `port ${port} is taken; choose another with PORT or INTERNAL_PORT`
    : error.message
}
