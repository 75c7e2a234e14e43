import cluster, { type Worker } from 'node:cluster'
import type { Logger } from 'pino'
import { ConfigError } from '../config.js'
import { EndedCounters } from './ended-counters.js'
import {
  isToPrimary,
  type ToPrimary,
  type Topic,
  type ToWorker,
  type WorkerReport,
} from './messages.js'
import { placeVariable } from './place.js'
import { type Respondent, Survey } from './survey.js'

export interface SuperviseOptions {
  count: number
  /** More variables for every worker and its successors. */
  environment: Readonly<Record<string, string>>
  /** How long a worker may take to close, in milliseconds. */
  closeDeadlineMs: number
  /** True if SIGHUP renews certificates instead of stopping the service. */
  renewsOnHangup: boolean
  log: Logger
}

/** How long a worker may take to report, in milliseconds. */
const maxReportMs = 1000
/** A worker that has served for this long is started again at once, in milliseconds. */
const steadyMs = 30_000
/** Waits before further starts of a worker that keeps ending, in milliseconds. */
const restartMs = { first: 1000, max: 30_000 }
/** How much later than its own deadline a worker is killed, in milliseconds. */
const killAfterMs = 1000

/** A running worker process. */
interface Member extends Respondent {
  serving: boolean
  /** True if a SIGHUP arrived before the worker could handle it. */
  missedHangup: boolean
  readonly worker: Worker
  /** Unix milliseconds. */
  readonly startedAt: number
  /** How many of its predecessors ended soon after their start, one after the other. */
  readonly failures: number
}

/**
 * Starts the workers of a service, and starts a worker that ends again. Resolves with the exit code when
 * all workers have ended: after a stop signal, or when a worker fails during the first start. This process
 * accepts connections and hands them to the workers in turn; it never reads from them.
 *
 * @throws ConfigError if this process is a worker of another program
 */
export function supervise(options: SuperviseOptions): Promise<number> {
  if (!cluster.isPrimary) {
    throw new ConfigError(['WORKERS must be 1 under a program that runs several processes itself'])
  }
  // The default, JSON, turns NaN into null.
  cluster.setupPrimary({ serialization: 'advanced' })
  cluster.schedulingPolicy = cluster.SCHED_RR
  return new Supervisor(options).run()
}

class Supervisor {
  readonly #options: SuperviseOptions
  readonly #members = new Map<number, Member>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  readonly #survey = new Survey(maxReportMs)
  readonly #counters = new EndedCounters()
  #state: 'starting' | 'running' | 'stopping' = 'starting'
  #exitCode = 0
  #finish: (exitCode: number) => void = () => undefined

  constructor(options: SuperviseOptions) {
    this.#options = options
  }

  run(): Promise<number> {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => this.#onSignal(signal))
    }
    // The first worker alone prepares what all share, and reports a wrong setting once.
    this.#start(1, 0)
    return new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  #start(number: number, failures: number): void {
    const { count, environment } = this.#options
    const worker = cluster.fork({ ...environment, ...placeVariable({ number, count }) })
    const send = (message: ToWorker) => {
      if (worker.isConnected()) {
        worker.send(message, () => undefined)
      }
    }
    const member: Member = {
      number,
      worker,
      serving: false,
      missedHangup: false,
      startedAt: Date.now(),
      failures,
      question: (id, topic) => send({ type: 'question', id, topic }),
    }
    this.#members.set(number, member)
    worker.on('message', (message: unknown) => {
      if (isToPrimary(message)) {
        this.#onMessage(member, message, send)
      } else {
        // `node --watch` learns from its child which files the child has loaded.
        process.send?.(message)
      }
    })
    worker.once('exit', (code, signal) => {
      const isClean = code === 0 || signal === 'SIGTERM'
      this.#onExit(member, signal ?? `exit code ${code}`, isClean)
    })
    worker.on('error', (error) => {
      this.#options.log.error({ err: error, worker: number }, 'worker')
      if (worker.process.pid === undefined) {
        // It could not be started, so no exit follows.
        this.#onExit(member, error.message, false)
      }
    })
  }

  #onMessage(member: Member, message: ToPrimary, reply: (message: ToWorker) => void): void {
    if (message.type === 'serving') {
      member.serving = true
      if (member.missedHangup) {
        member.worker.process.kill('SIGHUP')
      }
      this.#continueStart()
    } else if (message.type === 'leaving') {
      const alone = this.#state === 'running'
      member.serving &&= !alone
      reply({ type: 'leave', alone })
    } else if (message.type === 'report') {
      this.#survey.reported(message.id, member.number, message.report)
    } else {
      const { id, topic } = message
      this.#ask(topic).then((reports) => reply({ type: 'reports', id, reports }))
    }
  }

  #continueStart(): void {
    if (this.#state !== 'starting') {
      return
    }
    const { count, log } = this.#options
    for (let number = 2; number <= count; number += 1) {
      if (!this.#members.has(number)) {
        this.#start(number, 0)
      }
    }
    if ([...this.#members.values()].every(({ serving }) => serving)) {
      this.#state = 'running'
      log.info({ workers: count }, 'all workers serve')
    }
  }

  /** Asks all workers. Until all have served once, a worker without a process counts as starting. */
  async #ask(topic: Topic): Promise<WorkerReport[]> {
    const { count } = this.#options
    const reports = await this.#survey.ask(topic, [...this.#members.values()])
    if (topic === 'metrics') {
      for (const { worker, report } of reports) {
        if (report?.metrics !== undefined) {
          this.#counters.reported(worker, report.metrics)
        }
      }
      return [...reports, { worker: 0, report: { metrics: await this.#counters.sum() } }]
    }
    if (this.#state !== 'starting') {
      // No connection reaches a worker that starts again.
      return reports.filter(({ missing }) => missing !== 'starting')
    }
    const later = Array.from({ length: count - reports.length }, (_, index): WorkerReport => {
      return { worker: reports.length + index + 1, missing: 'starting' }
    })
    return [...reports, ...later]
  }

  #onExit(member: Member, how: string, isClean: boolean): void {
    const { number: worker, startedAt } = member
    const { log } = this.#options
    this.#members.delete(worker)
    this.#survey.ended(worker)
    this.#counters.ended(worker)
    if (this.#state === 'stopping') {
      this.#exitCode ||= isClean ? 0 : 1
    } else if (this.#state === 'starting') {
      log.fatal({ worker, how }, 'a worker ended while the service was starting')
      this.#exitCode = 1
      this.#stop()
    } else {
      const isSteady = Date.now() - startedAt >= steadyMs
      const failures = isSteady ? 0 : member.failures + 1
      const inMs =
        failures === 0 ? 0 : Math.min(restartMs.first * 2 ** (failures - 1), restartMs.max)
      log.error({ worker, how, inMs }, 'a worker ended; it starts again')
      this.#startLater(worker, failures, inMs)
    }
    if (this.#state === 'stopping' && this.#members.size === 0) {
      this.#finish(this.#exitCode)
    }
  }

  #startLater(worker: number, failures: number, inMs: number): void {
    const timer = setTimeout(() => {
      this.#restarts.delete(timer)
      this.#start(worker, failures)
    }, inMs)
    this.#restarts.add(timer)
  }

  #onSignal(signal: NodeJS.Signals): void {
    const { log, renewsOnHangup } = this.#options
    if (signal === 'SIGHUP' && renewsOnHangup) {
      this.#renewAll()
    } else if (this.#state === 'stopping') {
      log.error(`second ${signal}, exiting`)
      this.#exitCode = 1
      this.#signalAll('SIGKILL')
    } else {
      log.info({ signal }, 'closing all workers')
      this.#stop()
    }
  }

  /** Closes all workers together, and kills those that overrun their own deadline. */
  #stop(): void {
    this.#state = 'stopping'
    for (const timer of this.#restarts) {
      clearTimeout(timer)
    }
    if (this.#members.size === 0) {
      this.#finish(this.#exitCode)
      return
    }
    this.#signalAll('SIGTERM')
    setTimeout(
      () => this.#signalAll('SIGKILL'),
      this.#options.closeDeadlineMs + killAfterMs,
    ).unref()
  }

  #renewAll(): void {
    for (const member of this.#members.values()) {
      if (member.serving) {
        member.worker.process.kill('SIGHUP')
      } else {
        member.missedHangup = true
      }
    }
  }

  #signalAll(signal: NodeJS.Signals): void {
    for (const { worker } of this.#members.values()) {
      worker.process.kill(signal)
    }
  }
}
