import type { Process } from '../world/process.js'
import type { Random } from '../world/random.js'
import type { World } from '../world/world.js'

/** The owner of one end of a connection; called in events of its process. */
export interface Receiver {
  received(message: unknown): void
  /** The peer has closed, or the connection is broken (`reset`). */
  ended(reset: boolean): void
}

type Segment = { readonly kind: 'data'; readonly message: unknown } | { kind: 'fin' | 'rst' }

/** How long a segment travels, in milliseconds. */
export interface Delays {
  min: number
  max: number
  /** The share of segments that are lost once, and the delay of their retransmission. */
  lost: number
  retransmitMs: number
}

/**
 * TCP between processes. Segments of one connection arrive in order; different connections overtake each
 * other. While a way is blocked, its segments wait, as with retransmission.
 */
export class Network {
  readonly #world: World
  readonly #delays: (from: string, to: string) => Delays
  readonly #random: Random
  readonly #blocked = new Map<string, (() => void)[]>()
  readonly #connections = new Set<readonly [End, End]>()

  constructor(world: World, delays: (from: string, to: string) => Delays) {
    this.#world = world
    this.#delays = delays
    this.#random = world.random('network')
  }

  /** Blocks one way between two processes: segments wait. */
  block(from: string, to: string): void {
    const way = `${from}>${to}`
    if (!this.#blocked.has(way)) {
      this.#blocked.set(way, [])
    }
  }

  unblock(from: string, to: string): void {
    const way = `${from}>${to}`
    const waiting = this.#blocked.get(way) ?? []
    this.#blocked.delete(way)
    for (const arrive of waiting) {
      arrive()
    }
  }

  /** Connects two processes at once; the ends learn of it by the first message. */
  connect(from: Process, to: Process): readonly [End, End] {
    const capacity = this.#random.whole(2, 64)
    const near = new End(this, from, capacity)
    const far = new End(this, to, capacity)
    near.peer = far
    far.peer = near
    const pair = [near, far] as const
    this.#connections.add(pair)
    for (const end of pair) {
      end.process.onKilled(() => end.abandon())
    }
    return pair
  }

  /** Returns the open connections between two processes. */
  between(a: string, b: string): (readonly [End, End])[] {
    for (const pair of this.#connections) {
      if (pair.every((end) => end.closed)) {
        this.#connections.delete(pair)
      }
    }
    return [...this.#connections].filter(([near, far]) => {
      const names = [near.process.name, far.process.name]
      return names.includes(a) && names.includes(b)
    })
  }

  /** Carries one segment. Calls `arrive` in the order of each sender. */
  carry(from: End, to: End, arrive: () => void): void {
    const { min, max, lost, retransmitMs } = this.#delays(from.process.name, to.process.name)
    let ms = this.#random.between(min, max)
    if (this.#random.chance(lost)) {
      ms += retransmitMs
    }
    const now = this.#world.now
    from.lastArrival = Math.max(from.lastArrival, now + ms)
    const way = `${from.process.name}>${to.process.name}`
    const passes = (): void => {
      const waiting = this.#blocked.get(way)
      if (waiting === undefined) {
        arrive()
      } else {
        waiting.push(() => this.#world.schedule(this.#random.between(min, max), passes))
      }
    }
    this.#world.schedule(from.lastArrival - now, passes)
  }
}

/** One end of a connection. */
export class End {
  readonly process: Process
  readonly #network: Network
  readonly #capacity: number
  peer: End | undefined
  receiver: Receiver | undefined
  /** When the last segment sent so far reaches the peer. */
  lastArrival = 0
  #closed = false
  /** True if a middlebox has dropped the connection: it answers the next segment with a reset. */
  #broken = false
  /** Segments in flight to the peer, in order. */
  readonly #sent: Segment[] = []
  /** Segments that have arrived and that the process has not read. */
  readonly #inbox: Segment[] = []
  #outstanding = 0
  readonly #waitingToLeave: (() => void)[] = []
  #reading = true

  constructor(network: Network, process: Process, capacity: number) {
    this.#network = network
    this.process = process
    this.#capacity = capacity
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Sends a message. Calls `left` when the kernel has taken it, or never will. */
  send(message: unknown, left: () => void = () => undefined): void {
    if (this.#closed) {
      this.process.event(0, left)
      return
    }
    this.#outstanding += 1
    if (this.#outstanding > this.#capacity) {
      this.#waitingToLeave.push(left)
    } else {
      this.process.event(0.001, left)
    }
    this.#transmit({ kind: 'data', message })
  }

  /** Closes after everything sent so far, and receives no further message. */
  close(): void {
    if (this.#closed) {
      return
    }
    this.#closed = true
    this.#transmit({ kind: 'fin' })
    this.#dropWaiting()
  }

  /** The process is gone: its kernel closes the connection, unless the machine has lost power. */
  abandon(): void {
    if (this.#closed) {
      return
    }
    if (this.process.lostPower) {
      this.#closed = true
    } else {
      this.close()
    }
  }

  /** A middlebox drops the connection. This end learns of it at once (`told`), or when it sends. */
  break(told: boolean): void {
    this.#broken = true
    this.#sent.length = 0
    if (told) {
      this.arrived({ kind: 'rst' })
    }
  }

  /** Stops and resumes taking what arrives. */
  setReading(reading: boolean): void {
    if (reading === this.#reading) {
      return
    }
    this.#reading = reading
    if (reading) {
      for (const _ of this.#inbox) {
        this.process.event(0, () => this.#take())
      }
    }
  }

  #transmit(segment: Segment): void {
    const { peer } = this
    if (peer === undefined) {
      return
    }
    this.#sent.push(segment)
    this.#network.carry(this, peer, () => {
      const next = this.#sent.shift()
      if (this.#broken) {
        if (segment.kind !== 'rst') {
          this.arrived({ kind: 'rst' })
        }
      } else if (next !== undefined) {
        peer.arrived(next)
      }
    })
  }

  /** The kernel receives a segment. */
  arrived(segment: Segment): void {
    if (this.#closed) {
      // The kernel answers data for a closed socket with a reset, unless the machine has lost power.
      if (segment.kind === 'data' && !this.process.lostPower) {
        this.#transmit({ kind: 'rst' })
      }
      return
    }
    this.#inbox.push(segment)
    if (this.#reading || segment.kind !== 'data') {
      this.process.event(0, () => this.#take())
    }
  }

  /** The process reads a segment. */
  #take(): void {
    if (!this.#reading && this.#inbox[0]?.kind === 'data') {
      return
    }
    const segment = this.#inbox.shift()
    if (segment === undefined || this.#closed) {
      return
    }
    if (segment.kind === 'data') {
      this.peer?.taken()
      this.receiver?.received(segment.message)
      return
    }
    this.#closed = true
    if (segment.kind === 'fin') {
      this.#transmit({ kind: 'fin' })
    }
    this.#dropWaiting()
    this.receiver?.ended(segment.kind === 'rst')
  }

  /** The peer has read one message. */
  taken(): void {
    this.#outstanding -= 1
    const left = this.#waitingToLeave.shift()
    if (left !== undefined) {
      this.process.event(0.1, left)
    }
  }

  #dropWaiting(): void {
    for (const left of this.#waitingToLeave.splice(0)) {
      this.process.event(0, left)
    }
  }
}
