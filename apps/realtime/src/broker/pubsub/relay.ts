import { randomUUID } from 'node:crypto'
import type { SessionCommands } from '../../sessions/sessions.js'
import { BrokerError } from '../errors.js'
import type { Keys } from '../keys.js'
import type { Publisher } from './publisher.js'
import { type RelayedCommands, readRelayed } from './relay-messages.js'
import type { Subscriber } from './subscriber.js'

/** How long another node has to take commands, in milliseconds. */
const deadlineMs = 5000

export interface RelayOptions {
  /** Random id of this process. */
  uid: string
  keys: Keys
  subscriber: Pick<Subscriber, 'add'>
  publisher: Pick<Publisher, 'publish'>
  /** Receives commands from another node. Returns false when this node has no such session. */
  onCommands: (commands: SessionCommands) => boolean
  /** A malformed message was dropped. */
  onMalformed: () => void
  onError: (error: Error) => void
}

/**
 * Passes emulation requests on to the node that has the session. That node checks the token and the lease
 * when a command takes effect, as for commands that reach it directly; this node checks nothing.
 */
export class Relay {
  readonly #options: RelayOptions
  readonly #waiting = new Map<string, (isTaken: boolean) => void>()

  constructor(options: RelayOptions) {
    this.#options = options
  }

  /** Subscribes to this node's messages. @throws BrokerError away */
  async listen(): Promise<void> {
    const { uid, keys, subscriber } = this.#options
    await subscriber.add(keys.relay(uid), 0, (message) => this.#receive(message))
  }

  /**
   * Sends commands to a node. Returns false when there is no such node, or it has no such session.
   *
   * @throws BrokerError away, when Redis or the node does not answer in time
   */
  async send(node: string, { session, data, isBinary }: SessionCommands): Promise<boolean> {
    const { uid, keys, publisher } = this.#options
    const id = randomUUID()
    const message = {
      type: 'commands',
      id,
      from: uid,
      session,
      data: data.toString('base64'),
      isBinary,
    }
    const answer = this.#answerTo(id)
    try {
      const receivers = await publisher.publish(keys.relay(node), JSON.stringify(message))
      return receivers > 0 && (await answer.taken)
    } finally {
      answer.stop()
    }
  }

  /** Ends all waits for answers. */
  stop(): void {
    for (const settle of this.#waiting.values()) {
      settle(false)
    }
  }

  #answerTo(id: string): { taken: Promise<boolean>; stop(): void } {
    let deadline: NodeJS.Timeout | undefined
    const taken = new Promise<boolean>((resolve, reject) => {
      this.#waiting.set(id, resolve)
      deadline = setTimeout(
        () => reject(new BrokerError('away', 'the node of the session did not answer')),
        deadlineMs,
      )
    })
    // Redis may fail first.
    taken.catch(() => undefined)
    return {
      taken,
      stop: () => {
        clearTimeout(deadline)
        this.#waiting.delete(id)
      },
    }
  }

  #receive(message: Buffer): void {
    const relayed = readRelayed(message)
    if (relayed === undefined) {
      this.#options.onMalformed()
    } else if (relayed.type === 'commands') {
      this.#take(relayed)
    } else {
      this.#waiting.get(relayed.id)?.(relayed.isTaken)
    }
  }

  #take({ id, from, session, data, isBinary }: RelayedCommands): void {
    const { keys, publisher, onCommands, onError } = this.#options
    const isTaken = onCommands({ session, data: Buffer.from(data, 'base64'), isBinary })
    publisher
      .publish(keys.relay(from), JSON.stringify({ type: 'taken', id, isTaken }))
      .catch(onError)
  }
}
