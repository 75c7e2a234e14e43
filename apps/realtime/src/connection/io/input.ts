import {
  type Codec,
  type Command,
  type Disconnect,
  disconnectCodes,
  ProtocolError,
  type ReplyError,
  replyErrors,
} from '@portcullis/protocol'
import type { Hold, Waiting } from '../../hub/hold.js'
import type { ConnectionState } from '../state.js'
import type { Traffic } from '../traffic.js'
import type { Allowance } from './allowance.js'
import type { Transport } from './transport.js'

/**
 * Bytes that a client may have sent when another message arrives, while its `connect` is being decided
 * or the node has no lease. The first such message may be longer.
 */
const maxWaitingBytes = 131_072

/** A connection as its input sees it. */
export interface CommandTarget extends Waiting {
  readonly node: {
    readonly traffic: Pick<Traffic, 'receivedBytes'>
    readonly hold: Hold
    readonly limits: { readonly commandsPerMessage: number }
  }
  readonly codec: Codec
  readonly closed: boolean
  readonly state: ConnectionState['name']
  handle(command: Command): void
  fail(id: number, error: ReplyError): void
  end(disconnect: Disconnect): void
  /** Ends the connection after an unexpected error. */
  fault(error: unknown): void
  /** Counts commands that came faster than the limits allow. */
  limited(commands: number): void
}

/**
 * Decodes a client's messages, enforces its rates, and hands over the commands one by one. Keeps
 * commands that may not be handled yet, in order.
 */
export class Input {
  readonly #target: CommandTarget
  readonly #transport: Transport
  readonly #allowance: Allowance
  #reading = true
  #waiting: Command[] | undefined
  #waitingBytes = 0

  constructor(target: CommandTarget, transport: Transport, allowance: Allowance) {
    this.#target = target
    this.#transport = transport
    this.#allowance = allowance
  }

  /** Handles one WebSocket message. */
  receive(message: Buffer, isBinary: boolean): void {
    const target = this.#target
    target.node.traffic.receivedBytes += message.length
    if (isBinary !== target.codec.binary) {
      target.end(disconnectCodes.inappropriateProtocol)
      return
    }
    if (this.#waitingBytes > maxWaitingBytes) {
      target.end(disconnectCodes.tooManyRequests)
      return
    }
    if (!this.#mayHandle()) {
      this.#waitingBytes += message.length
    }
    const { commandsPerMessage } = target.node.limits
    try {
      const commands = target.codec.decode(message, commandsPerMessage)
      this.#handle(this.#withinRates(message.length, commands))
    } catch (error) {
      if (error instanceof ProtocolError) {
        target.end(disconnectCodes.badRequest)
      } else {
        target.fault(error)
      }
    }
  }

  /** Reads from the socket again, if reading was stopped. */
  read(): void {
    if (!this.#reading) {
      this.#reading = true
      this.#transport.setReading(true)
    }
  }

  /** Handles the commands that waited. */
  handleWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) {
      this.#handle(waiting)
    }
    if (this.#waiting === undefined) {
      this.#waitingBytes = 0
    }
  }

  clear(): void {
    this.#waiting = undefined
  }

  /** Asked before each command, because the process may have been stopped since the last one. */
  #mayHandle(): boolean {
    if (this.#target.state === 'connecting') {
      return false
    }
    const { hold } = this.#target.node
    if (hold.open) {
      return true
    }
    hold.add(this.#target)
    // The peer's next bytes wait on its side.
    if (this.#reading) {
      this.#reading = false
      this.#transport.setReading(false)
    }
    return false
  }

  #handle(commands: readonly Command[]): void {
    for (const [index, command] of commands.entries()) {
      if (this.#target.closed) {
        return
      }
      if (!this.#mayHandle()) {
        this.#waiting ??= []
        this.#waiting.push(...commands.slice(index))
        return
      }
      this.#target.handle(command)
    }
  }

  /** Returns the commands of a message that the client's rates allow. */
  #withinRates(bytes: number, commands: readonly Command[]): readonly Command[] {
    const verdict = this.#allowance.judge(bytes, commands.length)
    if (verdict === 'within') {
      return commands
    }
    this.#target.limited(commands.length)
    if (verdict === 'over') {
      return this.#refuse(commands)
    }
    this.#target.end(disconnectCodes.tooManyRequests)
    return []
  }

  /**
   * Replies to commands that came too fast with error 111, after which the client may try again.
   * `send` has no reply and is dropped. Returns the pongs, which are handled all the same: the server
   * asked for them.
   */
  #refuse(commands: readonly Command[]): Command[] {
    for (const command of commands) {
      if ('id' in command) {
        this.#target.fail(command.id, replyErrors.tooManyRequests)
      }
    }
    return commands.filter(({ method }) => method === 'pong')
  }
}
