import type { End, Network } from '../network/network.js'
import { keyNames } from '../production.js'
import type { Process } from '../world/process.js'
import type { World } from '../world/world.js'
import { type IsTooLate, type ScriptCall, type ScriptName, Scripts } from './commands.js'
import { Partition, type ReceiptPart, type SimulatedToken, tokenScope } from './registry.js'

/** A script or command, which runs in one step where it arrives. */
export interface Command {
  readonly number: number
  run(partitions: readonly Partition[]): unknown
}

/** The answer to the command with this number. */
export interface Answer {
  readonly number: number
  readonly result: unknown
}

/** Waits for an event after the cursor, like XREAD with BLOCK. */
export interface Wait {
  readonly after: string
  readonly blockMs: number
}

/** How long Redis takes to answer, in milliseconds. */
const serviceMs = { min: 0.02, max: 0.3 }

export interface RegistryHostOptions {
  world: World
  network: Network
  partitions: number
  feedMaxLength: number
  fenceMs: number
  onReceipt: (partition: number, receipt: ReceiptPart) => void
  /** Returns the mark that tells a Redis from another: its run, and its turn as the primary. */
  markOf?: typeof markOf
  isTooLate: IsTooLate
  /** Called when a script has written for a token. */
  onEffect: (what: ScriptName, by: SimulatedToken) => void
}

/** Returns a mark, like `readMark` in lease.lua. */
export function markOf(run: number, turn: number): string {
  return `run${run}-turn${turn}`
}

/** The registry's Redis: a process that answers commands one after another, and that can be restarted. */
export class RegistryHost {
  readonly #options: RegistryHostOptions
  readonly partitions: readonly Partition[]
  readonly #scripts: Scripts
  /** Partitions by hash tag. */
  readonly #byTag: ReadonlyMap<string, number>
  #process: Process
  #runs = 0
  #turns = 0
  /** Waits for the feed, answered at the next event or after their time. */
  #waits = new Map<End, { after: string; answer: () => void }>()
  /** By how much Redis' wall clock has been set, in microseconds. */
  clockStepUs = 0

  constructor(options: RegistryHostOptions) {
    this.#options = options
    const { world, partitions, feedMaxLength, fenceMs, onReceipt, isTooLate, onEffect } = options
    const keys = keyNames('simulation', partitions)
    this.#byTag = new Map(
      Array.from({ length: partitions }, (_, at) => [tagOf(keys.clock(at)), at] as const),
    )
    this.#scripts = new Scripts({
      isTooLate,
      onEffect,
      onTooLate: () => world.history.count('effects refused by deadline'),
    })
    this.#process = world.process('registry')
    this.partitions = Array.from(
      { length: partitions },
      (_, partition) =>
        new Partition({
          partition,
          mark: this.#mark(),
          feedMaxLength,
          fenceMs,
          timeUs: () => Math.floor(1.9e15 + world.now * 1000) + this.clockStepUs,
          onReceipt,
        }),
    )
  }

  get process(): Process {
    return this.#process
  }

  /** The end of the feed, as a cursor. */
  get end(): string {
    return this.partitions.map(({ end }) => end).join(',')
  }

  /** Returns a copy of the data. */
  backup(): unknown {
    return structuredClone(this.partitions.map(({ data }) => data))
  }

  kill(): void {
    this.#process.kill()
  }

  /** Restarts with its data, or with a backup: later writes are lost. */
  restart(backup?: unknown, promoted = false): void {
    const { world } = this.#options
    this.#process = world.process('registry')
    this.#turns += 1
    if (!promoted) {
      this.#runs += 1
    }
    this.#waits.clear()
    this.#scripts.forget()
    const data = backup as Partition['data'][] | undefined
    for (const [at, partition] of this.partitions.entries()) {
      partition.mark = this.#mark()
      partition.data =
        data === undefined ? partition.data : (structuredClone(data)[at] ?? partition.data)
    }
    this.#process.note(data === undefined ? 'has restarted' : 'has restarted with older data')
  }

  /** Accepts a connection of an auth process. */
  accept(end: End): void {
    end.receiver = {
      received: (message) => {
        if (isWait(message)) {
          this.#wait(end, message)
        } else {
          this.#answer(end, message as Command)
        }
      },
      ended: () => this.#waits.delete(end),
    }
  }

  /** Runs a script of production code. */
  evaluate(call: ScriptCall): unknown {
    const { keys } = call
    const partition = this.partitions[this.#byTag.get(tagOf(keys[0] ?? '')) ?? -1]
    if (partition === undefined) {
      throw new Error('there is no such partition')
    }
    return this.#scripts.evaluate(call, partition.timeUs, (name, args) =>
      execute(partition, name, keys, args),
    )
  }

  #answer(end: End, { number, run }: Command): void {
    const before = this.end
    const result = run(this.partitions)
    const answer: Answer = { number, result }
    this.#process.event(this.#process.random.between(serviceMs.min, serviceMs.max), () =>
      end.send(answer),
    )
    if (this.end !== before) {
      this.#answerWaits()
    }
  }

  #wait(end: End, { after, blockMs }: Wait): void {
    const answer = (): void => {
      if (!this.#waits.delete(end)) {
        return
      }
      late.cancel()
      end.send({})
    }
    this.#waits.set(end, { after, answer })
    const late = this.#process.setTimeout(answer, blockMs)
    if (this.end !== after) {
      answer()
    }
  }

  #answerWaits(): void {
    for (const { answer } of [...this.#waits.values()]) {
      answer()
    }
  }

  #mark(): string {
    const { markOf: mark = markOf } = this.#options
    return mark(this.#runs, this.#turns)
  }
}

function isWait(message: unknown): message is Wait {
  return typeof message === 'object' && message !== null && 'after' in message
}

function tagOf(key: string): string {
  return key.slice(0, key.indexOf('}'))
}

/** Runs a script, and returns the reply that its Lua would return. */
function execute(
  partition: Partition,
  name: ScriptName,
  keys: readonly string[],
  args: readonly string[],
): unknown {
  const expiresAt = String(Math.floor(partition.timeUs / 1000) + 1e9)
  switch (name) {
    case 'introspect':
      return introspected(partition, keys, args, expiresAt)
    case 'issue-token': {
      const [identity = '', subject = '', , ttlSeconds, labels = '', , jti = '', , parent = ''] =
        args
      const [iat, exp, digest = ''] = args.slice(11)
      const second = Math.floor(partition.timeUs / 1e6)
      const times = [String(second), String(second + 1 + Number(ttlSeconds))]
      if (iat !== times[0] || exp !== times[1]) {
        return ['other_times', ...times]
      }
      const grandparents = partition.introspect(parent, identity)?.parents ?? []
      const token = {
        jti,
        identity,
        subject,
        labels: labels === '' ? [] : labels.split(' '),
        parents: parent === '' ? [] : [parent, ...grandparents],
      }
      const issued = partition.issue(token, digest)
      return issued === 'parent_ended' ? issued : [String(issued.issuedUs), expiresAt]
    }
    case 'register-identity': {
      const us = partition.register(args[0] ?? '')
      if (us === undefined) {
        return 'identity_exists'
      }
      return [['state', 'active', 'scopes', '', 'createdUs', String(us)], [], expiresAt]
    }
    default:
      throw new Error(`the registry has no script ${name}`)
  }
}

/** Returns the reply of tokens/introspect.lua. */
function introspected(
  partition: Partition,
  keys: readonly string[],
  args: readonly string[],
  expiresAt: string,
): unknown[] {
  const identities = Number(args[0])
  const asked = args.slice(1 + identities)
  return keys.slice(1 + identities * 2).map((key, at) => {
    const identity = args[Number(asked[at * 2])] ?? ''
    const jti = key.slice(key.lastIndexOf(':') + 1)
    const found = partition.introspect(jti, identity, asked[at * 2 + 1])
    if (found === undefined) {
      return null
    }
    const { issuedUs, subject, labels, parents } = found
    const lists = [labels.join(' '), parents.join(' ')]
    return [issuedUs, expiresAt, 1e9, subject, tokenScope, ...lists].join('\n')
  })
}
