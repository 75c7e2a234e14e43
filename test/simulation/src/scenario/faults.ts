import type { Random } from '../world/random.js'
import type { World } from '../world/world.js'
import { type Action, healedAtMs } from './action.js'
import type { Installation } from './installation.js'
import type { Invariants } from './invariants.js'
import type { Scenario } from './scenario.js'

/** Time after a fault of auth or the registry for reconnects and the feed's tail, in milliseconds. */
const recoveryMs = 500

export interface FaultsOptions {
  world: World
  scenario: Scenario
  invariants: Invariants
  hosts: Installation
}

/** Carries out the faults of a scenario. */
export class Faults {
  readonly #options: FaultsOptions
  readonly #world: World
  readonly #hosts: Installation
  readonly #random: Random
  #backup: unknown

  constructor(options: FaultsOptions) {
    this.#options = options
    this.#world = options.world
    this.#hosts = options.hosts
    this.#random = options.world.random('suspends')
  }

  /** Carries out an action, if it is a fault. */
  do(action: Action): void {
    switch (action.kind) {
      case 'stop':
        this.#stop(action)
        break
      case 'stop at effect':
        this.#stopAtEffect(action)
        break
      case 'kill':
        this.#kill(action)
        break
      case 'leave':
        this.#leave(action)
        break
      case 'usurp':
        this.#hosts.startNode(action.host)
        break
      case 'block':
        this.#block(action)
        break
      case 'break':
        this.#break(action)
        break
      case 'back up':
        this.#backup = this.#hosts.registry.backup()
        break
      case 'restart registry':
        this.#restartRegistry(action)
        break
      case 'step clock':
        this.#hosts.registry.clockStepUs += Math.round(action.ms * 1000)
    }
  }

  #stop({ host, ms }: Extract<Action, { kind: 'stop' }>): void {
    const process = this.#hosts.process(host)
    if (process === undefined || process.stopped || process.killed) {
      return
    }
    if (isCentral(host)) {
      this.#faulty(host, ms)
    }
    // For some nodes, suspend the machine instead.
    if (host.startsWith('node') && this.#random.chance(0.3)) {
      process.suspend()
    } else {
      process.stop()
    }
    this.#world.schedule(ms, () => process.resume())
  }

  /** Stops a host between the check of an effect and the message to Redis. */
  #stopAtEffect({ host, ms: maxMs }: Extract<Action, { kind: 'stop at effect' }>): void {
    const process = this.#hosts.process(host)
    process?.stopAtEffect(() => {
      const ms = Math.max(0, Math.min(maxMs, healedAtMs - this.#world.now))
      this.#world.history.count('stops between check and effect')
      if (isCentral(host)) {
        this.#faulty(host, ms)
      }
      this.#world.schedule(ms, () => process.resume())
    })
  }

  #kill({ host, lostPower, downMs }: Extract<Action, { kind: 'kill' }>): void {
    const process = this.#hosts.process(host)
    if (process === undefined || process.killed) {
      return
    }
    if (isCentral(host)) {
      this.#faulty(host, downMs)
    }
    process.kill(lostPower)
    this.#world.schedule(downMs, () => this.#hosts.start(host))
  }

  #leave({ host, downMs }: Extract<Action, { kind: 'leave' }>): void {
    if (this.#hosts.process(host)?.killed !== false) {
      return
    }
    if (isCentral(host)) {
      this.#faulty(host, downMs + 400)
    }
    const leaving = this.#hosts.auths.get(host) ?? this.#hosts.nodes.get(host)
    if (leaving === undefined) {
      return
    }
    leaving.process.event(0, () => void leaving.leave())
    leaving.process.onKilled(() => this.#world.schedule(downMs, () => this.#hosts.start(host)))
  }

  #block({ from, to, ways, ms }: Extract<Action, { kind: 'block' }>): void {
    const others = to === '*' ? this.#options.scenario.auths : [to]
    if (to === 'registry') {
      this.#faulty(from, ms)
    }
    for (const other of others) {
      if (ways !== 'back') {
        this.#hosts.network.block(from, other)
      }
      if (ways !== 'there') {
        this.#hosts.network.block(other, from)
      }
      this.#world.schedule(ms, () => {
        this.#hosts.network.unblock(from, other)
        this.#hosts.network.unblock(other, from)
      })
    }
  }

  #break({ a, b, told }: Extract<Action, { kind: 'break' }>): void {
    if (b === 'registry') {
      this.#faulty(a, 0)
    }
    for (const pair of this.#hosts.network.between(a, b)) {
      for (const end of pair) {
        const isA = end.process.name === a
        end.break(told === 'both' || told === (isA ? 'a' : 'b'))
      }
    }
  }

  #restartRegistry({
    downMs,
    older,
    promoted = false,
  }: Extract<Action, { kind: 'restart registry' }>): void {
    if (this.#hosts.registry.process.killed) {
      return
    }
    this.#faulty('registry', downMs)
    const backup = older ? this.#backup : undefined
    this.#hosts.registry.kill()
    this.#world.schedule(downMs, () => {
      this.#hosts.registry.restart(backup, promoted)
      if (promoted) {
        this.#world.history.count('failed back')
      }
      if (backup === undefined) {
        return
      }
      this.#world.history.count('registry went back')
      for (const [jti, { identity }] of this.#hosts.tokens) {
        if (!this.#hosts.partition(identity).data.tokens.has(jti)) {
          this.#hosts.doubtful.add(jti)
        }
      }
      this.#options.invariants.onLost(
        this.#hosts.registry.partitions.map(({ data }) => data.receipts),
      )
    })
  }

  #faulty(host: string, ms: number): void {
    this.#options.invariants.faulty(host, this.#world.now + ms + recoveryMs)
  }
}

function isCentral(host: string): boolean {
  return !host.startsWith('node') && host !== 'broker'
}
