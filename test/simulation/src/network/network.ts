import type { Process } from '../world/process.js'
import type { Random } from '../world/random.js'
import type { World } from '../world/world.js'

/** What one end of a connection is told, in events of its process. */
export interface Receiver {
  received(message: unknown): void
  /** The peer has closed, or the connection is broken. */
  ended(reset: boolean): void
}

type Segment = { readonly kind: 'data'; readonly message: unknown } | { kind: 'fin' | 'rst' }

/** How long a segment travels, in milliseconds. */
export interface Delays {
  least: number
  most: number
  /** The share of segments that are lost once, and the time until they are sent again. */
  lost: number
  againMs: number
}

/**
 * TCP between processes: what is sent in one connection arrives in order or not at all; several
 * connections overtake each other. Where nothing passes, segments wait, as retransmission does it.
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

  /** From here on nothing passes from one process to the other; what is sent waits. */
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

  /** Connects two processes at once; both ends are told by what they get. */
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

  /** Open connections between two processes, whoever has opened them. */
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

  /** Carries one segment; `arrive` is called in order for each sender. */
  carry(from: End, to: End, arrive: () => void): void {
    const { least, most, lost, againMs } = this.#delays(from.process.name, to.process.name)
    let ms = this.#random.between(least, most)
    if (this.#random.chance(lost)) {
      ms += againMs
    }
    const now = this.#world.now
    from.lastArrival = Math.max(from.lastArrival, now + ms)
    const way = `${from.process.name}>${to.process.name}`
    const passes = (): void => {
      const waiting = this.#blocked.get(way)
      if (waiting === undefined) {
        arrive()
      } else {
        waiting.push(() => this.#world.schedule(this.#random.between(least, most), passes))
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
  /** When the last segment sent so far gets to the peer. */
  lastArrival = 0
  #closed = false
  /** The middle has forgotten the connection: whoever sends is told so. */
  #broken = false
  /** On the way from this end to the peer, in order. */
  readonly #sent: Segment[] = []
  /** Arrived, and not taken by the process yet. */
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

  /** Sends; `left` is called when the kernel has taken it, or never will. */
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

  /** Closes after what was sent; nothing more is received. */
  close(): void {
    if (this.#closed) {
      return
    }
    this.#closed = true
    this.#transmit({ kind: 'fin' })
    this.#letGo()
  }

  /** The process is gone. Its kernel closes, unless the machine is gone too. */
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

  /** A box in the middle drops the connection; this end hears of it at once, or when it sends. */
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

  /** The kernel has it. */
  arrived(segment: Segment): void {
    if (this.#closed) {
      // What comes for a closed socket is answered by the kernel, unless the machine is gone.
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

  /** The process reads. */
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
    this.#letGo()
    this.receiver?.ended(segment.kind === 'rst')
  }

  /** The peer has taken one message. */
  taken(): void {
    this.#outstanding -= 1
    const left = this.#waitingToLeave.shift()
    if (left !== undefined) {
      this.process.event(0.1, left)
    }
  }

  #letGo(): void {
    for (const left of this.#waitingToLeave.splice(0)) {
      this.process.event(0, left)
    }
  }
}
