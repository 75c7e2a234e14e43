import { randomUUID } from 'node:crypto'
import { closeCodes } from '@portcullis/contracts/websocket'
import {
  type ClientInfo,
  type Codec,
  type Command,
  type Disconnect,
  disconnectCodes,
  type Encoded,
  jsonCodec,
  ProtocolError,
  type ReplyBody,
  type ReplyError,
  replyErrors,
  type Unsubscribe,
} from '@portcullis/protocol'
import type { Waiting } from '../hub/hold.js'
import type { Member } from '../hub/hub.js'
import type { SubscribeOrder } from '../hub/orders.js'
import type { Permit } from '../hub/permit.js'
import { dispatch } from './commands/dispatch.js'
import { refuse } from './commands/refuse.js'
import { Allowance } from './io/allowance.js'
import { Outbox } from './io/outbox.js'
import type { Transport } from './io/transport.js'
import type { Node, Reader, Unread } from './node.js'
import { subscribeByOrder } from './subscriptions/server-subscribe.js'
import { Subscriptions } from './subscriptions/subscriptions.js'
import type { Grant } from './tokens.js'

/**
 * `opened`: awaits `connect`. `connecting`: its token is being asked about, and its channels are being
 * joined; what they bring meanwhile waits for the reply.
 */
export type ConnectionState = 'opened' | 'connecting' | 'connected' | 'closed'

/** Above this a connection's output leaves before the tick is over, so that a burst is not taken for a slow reader. */
const earlyFlushBytes = 65_536

/** What a client may send while its `connect` is being decided, or the node has no lease. */
const mostWaitingBytes = 131_072

export interface ConnectionOptions {
  node: Node
  transport: Transport
  /** The form of the protocol that the upgrade has selected; JSON when left out. */
  codec?: Codec
  grant: Grant
  /** Whether a token is the one that the upgrade was admitted with. */
  isAdmitted: (token: string) => boolean
}

/** One client connection, from its admission to its end. Knows the protocol, and no network. */
export class Connection implements Member, Waiting {
  readonly id = randomUUID()
  readonly node: Node
  readonly codec: Codec
  readonly subscriptions = new Subscriptions(this)
  /** Commands under way. */
  pending = 0
  /** Those of them that the application's handlers are asked about. */
  asking = 0
  #isAdmitted: ((token: string) => boolean) | undefined
  #state: ConnectionState = 'opened'
  #grant: Grant
  #releaseGrant: (() => void) | undefined
  #stopHeartbeat: (() => void) | undefined
  #awaitingPong = false
  /** Set while auth is asked about a token of a `refresh`. */
  refreshing = false
  /** The lease ran out while a pong was awaited, and nothing was read. */
  #pongExcused = false
  #reading = true
  /** Commands that came right behind a `connect` which is not decided yet, or while there is no lease. */
  #waiting: Command[] = []
  #waitingBytes = 0
  /** Orders that wait until it is decided whether the client is connected. */
  #undecided: (() => void)[] = []
  #dirty = false
  readonly #outbox: Outbox
  readonly #transport: Transport
  readonly #allowance: Allowance

  constructor({ node, transport, codec = jsonCodec, grant, isAdmitted }: ConnectionOptions) {
    this.node = node
    this.codec = codec
    this.#outbox = new Outbox(codec)
    this.#transport = transport
    this.#allowance = new Allowance(node.limits)
    this.#grant = grant
    this.#isAdmitted = isAdmitted
    node.hub.add(this)
    node.connectDeadline.add(this)
    this.standOn(grant)
  }

  get state(): ConnectionState {
    return this.#state
  }

  get closed(): boolean {
    return this.#state === 'closed'
  }

  get grant(): Grant {
    return this.#grant
  }

  get identity(): string {
    return this.#grant.identity
  }

  get subject(): string {
    return this.#grant.subject
  }

  /** Who it is, as other clients see it. */
  get info(): ClientInfo {
    return { user: this.subject, client: this.id }
  }

  /** The permit to write on behalf of the connection's token. */
  get permit(): Permit {
    return this.node.tokens.permit(this.#grant)
  }

  /** This connection as it reads histories and presence: in its user's turn, on its own allowance. */
  get reader(): Reader {
    return {
      name: JSON.stringify([this.identity, this.subject]),
      mayRead: () => !this.closed && this.#allowance.mayRead(),
      chargeRead: (bytes) => this.#allowance.chargeRead(bytes),
    }
  }

  isAdmitted(token: string): boolean {
    return this.#isAdmitted?.(token) ?? false
  }

  /** Takes one WebSocket message from the client. */
  receive(message: Buffer, isBinary: boolean): void {
    if (this.closed) {
      return
    }
    if (isBinary !== this.codec.binary) {
      this.end(disconnectCodes.inappropriateProtocol)
      return
    }
    if (!this.#mayAct()) {
      this.#waitingBytes += message.length
    }
    if (this.#waitingBytes > mostWaitingBytes) {
      this.end(disconnectCodes.tooManyRequests)
      return
    }
    try {
      this.#take(this.#within(message.length, this.codec.decode(message)))
    } catch (error) {
      if (error instanceof ProtocolError) {
        this.end(disconnectCodes.badRequest)
      } else {
        this.fault(error)
      }
    }
  }

  /** Ends this one connection after an error that nobody foresaw; the process and the others go on. */
  fault(error: unknown): void {
    this.node.onFault(this, error)
    this.end(disconnectCodes.serverError)
  }

  /** What of a message may be acted on by the client's rates. */
  #within(bytes: number, commands: readonly Command[]): readonly Command[] {
    const verdict = this.#allowance.judge(bytes, commands.length)
    if (verdict === 'within') {
      return commands
    }
    this.node.onLimited(this, commands.length)
    if (verdict === 'over') {
      return refuse(this, commands)
    }
    this.end(disconnectCodes.tooManyRequests)
    return []
  }

  #take(commands: readonly Command[]): void {
    for (const [index, command] of commands.entries()) {
      if (this.closed) {
        return
      }
      if (!this.#mayAct()) {
        this.#waiting.push(...commands.slice(index))
        return
      }
      dispatch(this, command)
    }
  }

  /** Marks that it is being found out whether the client may connect, and into which channels. */
  deciding(): void {
    this.#state = 'connecting'
  }

  /** Ends `deciding` with the reply to `connect`, and handles what came in meanwhile. */
  decided(id: number, body: Extract<ReplyBody, { connect: unknown } | { error: unknown }>): void {
    if (this.closed) {
      return
    }
    const connected = 'connect' in body
    this.#state = connected ? 'connected' : 'opened'
    if (!connected && this.subscriptions.size > 0) {
      this.subscriptions.leaveAll()
      this.#outbox.clear()
    }
    this.#outbox.addFirst(this.codec.reply(id, body))
    this.#flushSoon()
    if (connected) {
      this.#isAdmitted = undefined
      this.node.connectDeadline.delete(this)
      this.#stopHeartbeat = this.node.heartbeat.add(this)
    }
    for (const goOn of this.#undecided.splice(0)) {
      goOn()
    }
    this.#takeWaiting()
  }

  #takeWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#take(waiting)
    if (this.#waiting.length === 0) {
      this.#waitingBytes = 0
    }
  }

  /** Whether a command may be acted on now. Asked before each: a process may have been stopped. */
  #mayAct(): boolean {
    if (this.#state === 'connecting') {
      return false
    }
    if (this.node.hold.open) {
      return true
    }
    this.node.hold.add(this)
    if (this.#reading) {
      this.#reading = false
      this.#transport.setReading(false)
    }
    return false
  }

  /** The lease is there again: everything goes on where it stopped. */
  resume(): void {
    if (this.closed) {
      return
    }
    this.#pongExcused = this.#awaitingPong
    this.#readOn()
    if (this.#state !== 'connecting') {
      this.#takeWaiting()
    }
    this.#write()
  }

  #readOn(): void {
    if (this.#reading) {
      return
    }
    this.#reading = true
    this.#transport.setReading(true)
  }

  /** What a slow peer has not taken yet would still go out: only a cut keeps it back. */
  hold(): void {
    if (this.#transport.backlog() > 0) {
      this.cut(closeCodes.leaseLost)
    }
  }

  /**
   * From now on this grant carries the connection. It is held before the one before it is let go, so
   * that the connection outlives a revocation of the old one, and never stands on neither.
   */
  standOn(grant: Grant): void {
    if (this.closed) {
      return
    }
    const releasePrevious = this.#releaseGrant
    this.#releaseGrant = undefined
    this.#grant = grant
    const release = this.node.tokens.hold(grant, (reason) => this.#grantEnded(reason))
    releasePrevious?.()
    if (this.closed) {
      release()
    } else {
      this.#releaseGrant = release
    }
  }

  #grantEnded(reason: 'revoked' | 'expired'): void {
    if (this.closed) {
      // Its last bytes are still here; see `#close`.
      this.#transport.destroy()
      return
    }
    this.#close(
      reason === 'revoked' ? disconnectCodes.tokenRevoked : disconnectCodes.expired,
      () =>
        // A close frame would go behind what the peer has not read yet, and let that out first.
        this.#transport.backlog() > 0 ? 'destroy' : 'close',
    )
  }

  reply(id: number, body: ReplyBody): void {
    this.send(this.codec.reply(id, body))
  }

  fail(id: number, error: ReplyError): void {
    this.send(this.codec.reply(id, { error }))
  }

  /** Answers a command that was to read something, and could not. */
  failRead(id: number, why: Unread): void {
    if (why === 'tooManyRequests') {
      this.node.onLimited(this, 1)
    }
    this.fail(id, replyErrors[why])
  }

  subscribe(order: SubscribeOrder): Promise<void> {
    return this.#onceDecided(() => subscribeByOrder(this, order))
  }

  unsubscribe(channel: string, why: Unsubscribe): void {
    void this.#onceDecided(async () => this.subscriptions.end(channel, why))
  }

  /** An order about a client that is connecting finds it in the channels that it gets with that. */
  async #onceDecided(work: () => Promise<void>): Promise<void> {
    while (this.#state === 'connecting') {
      await new Promise<void>((resolve) => this.#undecided.push(resolve))
    }
    await work()
  }

  lost(channel: string): void {
    this.subscriptions.lost(channel)
  }

  /** Whether something that was to be sent has not left the process. */
  get waits(): boolean {
    return this.#outbox.bytes > 0 || this.#transport.backlog() > 0
  }

  /** Ends the connection at once; what waits never leaves. */
  cut(disconnect: Disconnect): void {
    if (this.closed) {
      this.#transport.destroy()
    } else {
      this.#close(disconnect, () => 'destroy')
    }
  }

  deliver(frame: Buffer): void {
    if (this.closed) {
      return
    }
    this.#outbox.addFrame(frame)
    this.#flushSoon()
  }

  ping(): void {
    if (this.#awaitingPong || !this.node.hold.open) {
      return
    }
    this.#awaitingPong = true
    this.send(this.codec.ping)
  }

  checkPong(): void {
    // Nothing is read without a lease; a pong may wait.
    if (!this.#awaitingPong || !this.node.hold.open) {
      return
    }
    if (this.#pongExcused) {
      this.#pongExcused = false
    } else {
      this.end(disconnectCodes.noPong)
    }
  }

  /** Takes the client's answer to a ping. One that answers nothing is against the protocol. */
  pong(): void {
    if (this.#awaitingPong) {
      this.#awaitingPong = false
    } else {
      this.end(disconnectCodes.badRequest)
    }
  }

  /** What is sent in one turn of the event loop leaves in one write. */
  send(message: Encoded): void {
    if (this.closed) {
      return
    }
    this.#outbox.add(message)
    this.#flushSoon()
  }

  #flushSoon(): void {
    if (this.#outbox.bytes >= earlyFlushBytes) {
      this.#write()
    } else if (!this.#dirty) {
      this.#dirty = true
      this.node.flushQueue.add(this)
    }
  }

  /** Called by the flush queue once this turn of the event loop is over. */
  flush(): void {
    this.#dirty = false
    this.#write()
  }

  #write(): void {
    if (this.closed || this.#outbox.bytes === 0) {
      return
    }
    if (this.#state === 'connecting' && this.subscriptions.size > 0) {
      // What is of its channels goes behind the reply to `connect`.
      if (this.#outbox.bytes > this.node.limits.sendBufferBytes) {
        this.#close(disconnectCodes.slow, () => 'close')
      }
      return
    }
    if (!this.node.hold.open) {
      this.node.hold.add(this)
      if (this.#outbox.bytes > this.node.limits.sendBufferBytes) {
        this.end(closeCodes.leaseLost)
      }
      return
    }
    this.#transport.write(this.#outbox.take())
    const backlog = this.#transport.backlog()
    if (backlog === 0) {
      this.subscriptions.drained()
    } else if (backlog > this.node.limits.sendBufferBytes) {
      this.#close(disconnectCodes.slow, () => 'close')
    }
  }

  /** Sends what waits, if it may, then closes the connection with this code. */
  end(disconnect: Disconnect): void {
    if (this.node.hold.open) {
      this.#write()
    }
    this.#close(disconnect, () =>
      !this.node.hold.open && this.#transport.backlog() > 0 ? 'destroy' : 'close',
    )
  }

  /** The peer is gone, or has said that it goes. */
  left(): void {
    this.#close(disconnectCodes.connectionClosed, () => 'nothing')
    this.#gone()
  }

  /** From its first line on no byte of the application leaves, and no command is acted on. */
  #close(disconnect: Disconnect, how: () => 'close' | 'destroy' | 'nothing'): void {
    if (this.closed) {
      return
    }
    this.#state = 'closed'
    this.#outbox.clear()
    this.#waiting = []
    for (const goOn of this.#undecided.splice(0)) {
      goOn()
    }
    const { hub, hold, connectDeadline } = this.node
    this.subscriptions.leaveAll()
    hub.remove(this)
    hold.delete(this)
    // The peer's own close has to be seen.
    this.#readOn()
    connectDeadline.delete(this)
    this.#stopHeartbeat?.()
    const action = how()
    if (action === 'close') {
      this.#transport.close(disconnect.code, disconnect.reason)
    } else if (action === 'destroy') {
      this.#transport.destroy()
    }
    // What was handed over before still goes out while the peer takes it: until it has, or is gone,
    // the connection stands on its grant and on the lease.
    if (action === 'close' && this.#transport.backlog() > 0) {
      this.node.hold.addClosing(this)
    } else {
      this.#gone()
    }
    this.node.onClosed(this, disconnect)
  }

  /** Nothing of it is left in this process. */
  #gone(): void {
    this.node.hold.deleteClosing(this)
    this.subscriptions.drained()
    this.#releaseGrant?.()
    this.#releaseGrant = undefined
  }
}
