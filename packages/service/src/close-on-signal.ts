import cluster from 'node:cluster'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { peers } from './workers/peers.js'

export interface CloseOptions {
  /** How long a close may take before the process exits anyway, in milliseconds. */
  deadlineMs: number
  /** How long the app answers that it is leaving before it closes, in milliseconds. */
  delayMs: number
  /** Called on SIGHUP; without it, SIGHUP closes the app too. */
  onHangup?: () => void
}

/**
 * Closes the app once, and then exits: on SIGTERM, SIGINT or an uncaught error. After a signal, load
 * balancers get `delayMs` first to notice; not when other workers of the service take over, and not after an
 * error. A second signal exits at once, but not in a worker.
 */
export function closeOnSignal(
  app: FastifyInstance,
  { deadlineMs, delayMs, onHangup }: CloseOptions,
): void {
  const workers = peers()
  let reason: string | undefined
  let leaveMs = delayMs
  if (onHangup !== undefined) {
    process.on('SIGHUP', onHangup)
  }
  const { close } = closeWithGrace(
    {
      delay: deadlineMs + delayMs,
      logger: app.log,
      skip: workers !== undefined ? stopSignals : onHangup === undefined ? [] : ['SIGHUP'],
    },
    async ({ err, signal = reason }) => {
      if (err) {
        app.log.fatal({ err }, 'closing after an error')
      } else {
        app.log.info({ signal, inMs: leaveMs }, 'closing')
        await app.leave(leaveMs)
      }
      await app.close()
    },
  )
  if (workers === undefined) {
    return
  }
  const closeOnce = async (why: string) => {
    if (reason !== undefined) {
      return
    }
    reason = why
    const others = await workers.leave()
    if (others || !process.connected) {
      // No load balancer chooses between workers, and without the primary the port is gone.
      leaveMs = 0
    }
    if (others) {
      // The primary hands new connections to the others from now on; this app would refuse them.
      app.server.close()
      if (app.internal !== app) {
        app.internal?.server.close()
      }
    }
    close()
  }
  // One Ctrl-C, or one stop by a service manager, signals the primary and the workers; the primary then
  // signals the workers again. Only the primary kills.
  for (const signal of stopSignals.filter((each) => each !== 'SIGHUP' || onHangup === undefined)) {
    process.on(signal, closeOnce)
  }
  cluster.worker?.once('disconnect', () => {
    if (cluster.worker !== undefined) {
      // Otherwise Node exits at once, because the primary process has ended.
      cluster.worker.exitedAfterDisconnect = true
    }
    closeOnce('the primary process has ended')
  })
}

const stopSignals: ('SIGTERM' | 'SIGINT' | 'SIGHUP')[] = ['SIGTERM', 'SIGINT', 'SIGHUP']
