import { SmallMap } from '../subscriptions/small-map.js'

/**
 * How a command of a channel shares its turn:
 *
 * - `publish`: with further publications, which keep their order on the way to Redis.
 * - `read`: with further reads.
 * - `alone`: with no other command.
 * - `leave`: with the command before it, which it may end; no later command joins them.
 */
export type ChannelTurn = 'publish' | 'read' | 'alone' | 'leave'

type Work = Promise<void> | undefined

/** Consecutive commands of one channel that run at the same time. */
interface Turn {
  kind: ChannelTurn
  /** Commands of the turn that are not done. */
  size: number
  /** Starts of the commands that wait for the turn; undefined once it has begun. */
  waiting: (() => void)[] | undefined
  next: Turn | undefined
}

/**
 * Runs the commands that name a channel in the order in which one connection sent them. Commands of
 * different channels do not wait for each other.
 */
export class ChannelOrder {
  /** The last turn of each channel. Undefined while no command runs, as on most connections. */
  #last: SmallMap<string, Turn> | undefined

  /** Calls `start` when the earlier commands of the channel are done, and settles as its result does. */
  run(channel: string, kind: ChannelTurn, start: () => Work): Work {
    const turn = this.#take(channel, kind)
    const { waiting } = turn
    if (waiting === undefined) {
      return this.#start(channel, turn, start)
    }
    return new Promise((resolve) => {
      waiting.push(() => resolve(this.#start(channel, turn, start)))
    })
  }

  /** Returns the last turn of the channel if the command may share it; otherwise a new turn. */
  #take(channel: string, kind: ChannelTurn): Turn {
    this.#last ??= new SmallMap()
    const last = this.#last.get(channel)
    if (last !== undefined && mayShare(last, kind)) {
      last.kind = kind
      last.size += 1
      return last
    }
    const waiting = last === undefined ? undefined : []
    const turn: Turn = { kind, size: 1, waiting, next: undefined }
    this.#last.set(channel, turn)
    if (last !== undefined) {
      last.next = turn
    }
    return turn
  }

  #start(channel: string, turn: Turn, start: () => Work): Work {
    const work = start()
    if (work === undefined) {
      this.#done(channel, turn)
      return undefined
    }
    return work.finally(() => this.#done(channel, turn))
  }

  #done(channel: string, turn: Turn): void {
    turn.size -= 1
    if (turn.size > 0) {
      return
    }
    const { next } = turn
    if (next === undefined) {
      this.#last?.delete(channel)
      if (this.#last?.size === 0) {
        this.#last = undefined
      }
      return
    }
    const { waiting = [] } = next
    next.waiting = undefined
    for (const start of waiting) {
      start()
    }
  }
}

function mayShare({ kind }: Turn, next: ChannelTurn): boolean {
  return next === 'leave' || (next === kind && (next === 'publish' || next === 'read'))
}
