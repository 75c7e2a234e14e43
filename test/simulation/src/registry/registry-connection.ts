import type { End, Network, Receiver } from '../network/network.js'
import { RegistryError } from '../production.js'
import { leaseMs } from '../scenario/action.js'
import type { Process } from '../world/process.js'
import { isTime, type ScriptCall, SimulatedCommands } from './commands.js'
import type { Partition } from './registry.js'
import type { Answer, Command, Wait } from './registry-host.js'

/** The times of `packages/redis`, in milliseconds; shorter, like every time in the simulation. */
const commandTimeoutMs = 400
const reconnectMs = { min: 20, max: 200 }
const deafMs = 1000

/** A Redis. */
interface Store {
  readonly process: Process
  accept(end: End): void
  evaluate(call: ScriptCall): unknown
}

/** A connection of a process to a Redis; reconnects after a loss. */
export class RegistryConnection implements Receiver {
  /** Runs scripts of production code. */
  readonly scripts: SimulatedCommands
  readonly #process: Process
  readonly #network: Network
  readonly #host: Store
  #end: End | undefined
  #number = 0
  readonly #open = new Map<number, (answer: Answer | Error) => void>()
  #closed = false

  constructor(process: Process, network: Network, host: Store) {
    this.#process = process
    this.#network = network
    this.#host = host
    this.scripts = new SimulatedCommands(async (call) => {
      const reply = await this.run(() => host.evaluate(call), call.by !== undefined)
      // As in production, a reading of Redis' clock is valid for half a lease.
      if (isTime(call)) {
        process.setTimeout(() => this.scripts.emit('close'), leaseMs / 2)
      }
      return reply
    })
    this.#dial()
  }

  /** Sends a command; commands keep their order. Rejects without a connection, and after a timeout. */
  run<Result>(
    command: (partitions: readonly Partition[]) => Result,
    isEffect = false,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#end === undefined) {
        return reject(unavailable('not connected'))
      }
      const number = this.#number++
      const late = this.#process.setTimeout(
        () => this.#settle(number, unavailable('timed out')),
        commandTimeoutMs,
      )
      this.#open.set(number, (answer) => {
        late.cancel()
        if (answer instanceof Error) {
          reject(answer)
        } else {
          resolve(answer.result as Result)
        }
      })
      const end = this.#end
      const send = (): void => end.send({ number, run: command } satisfies Command)
      if (isEffect) {
        this.#process.sendEffect(send)
      } else {
        send()
      }
    })
  }

  /** Resolves when the feed may have moved, when the connection breaks, or after a while. */
  wait(wait: Wait, closing: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        late.cancel()
        closing.removeEventListener('abort', done)
        this.#open.delete(-1)
        resolve()
      }
      const late = this.#process.setTimeout(() => {
        // No answer: reconnect.
        this.#end?.close()
        this.#lost()
        done()
      }, deafMs)
      closing.addEventListener('abort', done)
      this.#open.set(-1, done)
      this.#end?.send(wait)
    })
  }

  close(): void {
    this.#closed = true
    this.#end?.close()
  }

  received(message: unknown): void {
    const answer = message as Answer
    this.#settle(answer.number ?? -1, answer)
  }

  ended(): void {
    this.#lost()
  }

  #settle(number: number, answer: Answer | Error): void {
    const open = this.#open.get(number)
    this.#open.delete(number)
    open?.(answer)
  }

  #dial(): void {
    const { process } = this.#host
    if (process.killed) {
      this.#again()
      return
    }
    const [near, far] = this.#network.connect(this.#process, process)
    far.receiver = undefined
    this.#host.accept(far)
    near.receiver = this
    this.#end = near
  }

  #lost(): void {
    this.#end = undefined
    this.scripts.emit('close')
    for (const number of [...this.#open.keys()]) {
      this.#settle(number, unavailable('connection lost'))
    }
    this.#again()
  }

  #again(): void {
    if (this.#closed) {
      return
    }
    const ms = this.#process.random.between(reconnectMs.min, reconnectMs.max)
    this.#process.setTimeout(() => this.#dial(), ms)
  }
}

function unavailable(why: string): RegistryError {
  return new RegistryError('registry_unavailable', `the registry does not answer: ${why}`)
}
