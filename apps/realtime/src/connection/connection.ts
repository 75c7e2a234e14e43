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
  type ReplyBody,
  type ReplyError,
  type Unsubscribe,
} from '@portcullis/protocol'
import type { Closing, Waiting } from '../hub/hold.js'
import type { Member } from '../hub/member.js'
import type { SubscribeOrder } from '../hub/orders.js'
import { ChannelOrder } from './commands/channel-order.js'
import { connect } from './commands/connect.js'
import { dispatch, track } from './commands/dispatch.js'
import { GrantUse } from './grant-use.js'
import { Allowance } from './io/allowance.js'
import { Input } from './io/input.js'
import { Output } from './io/output.js'
import { readerFor } from './io/reader.js'
import type { EmulationAddress, Transport, TransportName } from './io/transport.js'
import type { Node, Reader } from './node.js'
import type { ConnectingSession, ConnectReply } from './session.js'
import { type ConnectionState, closed, closing, type Opened } from './state.js'
import { subscribeByOrder } from './subscriptions/server-subscribe.js'
import { Subscriptions } from './subscriptions/subscriptions.js'
import { Pulse } from './timing/pulse.js'
import type { EndReason, Grant } from './tokens.js'

export interface ConnectionOptions {
  node: Node
  transport: Transport
  /** The codec that the upgrade selected. JSON by default. */
  codec?: Codec
  grant: Grant
  /** Returns true for the token that the upgrade was admitted with. */
  isAdmitted: (token: string) => boolean
}

type CloseAction = 'close' | 'destroy' | 'nothing'

/** One client connection, from its admission to its end. It knows the protocol and no network. */
export class Connection implements Member, Waiting, Closing, ConnectingSession {
  readonly id = randomUUID()
  readonly node: Node
  readonly codec: Codec
  readonly subscriptions = new Subscriptions(this)
  readonly order = new ChannelOrder()
  commandsInFlight = 0
  handlerCalls = 0
  #state: ConnectionState
  /** What remains to do after the close, once. */
  #cleanUp: (() => void) | undefined
  readonly #grantUse: GrantUse
  readonly #input: Input
  readonly #output: Output
  readonly #transport: Transport
  readonly #allowance: Allowance

  constructor({ node, transport, codec = jsonCodec, grant, isAdmitted }: ConnectionOptions) {
    this.node = node
    this.codec = codec
    this.#transport = transport
    this.#allowance = new Allowance(node.limits)
    this.#input = new Input(this, transport, this.#allowance)
    this.#output = new Output(this, transport)
    this.#grantUse = new GrantUse(this, grant)
    this.#state = { name: 'opened', isAdmitted }
    node.hub.add(this)
    node.connectDeadline.add(this)
    this.useGrant(grant)
  }

  get state(): ConnectionState['name'] {
    return this.#state.name
  }

  /** True from the first step of closing on. No command is handled and no byte is written any more. */
  get closed(): boolean {
    return this.#state === closing || this.#state === closed
  }

  get grant(): Grant {
    return this.#grantUse.grant
  }

  get identity(): string {
    return this.grant.identity
  }

  get subject(): string {
    return this.grant.subject
  }

  get transport(): TransportName {
    return this.#transport.name ?? 'websocket'
  }

  get session(): string {
    return this.address.session
  }

  get address(): EmulationAddress {
    return this.#transport.emulation ?? { session: this.id, node: this.node.name }
  }

  get info(): ClientInfo {
    return { user: this.subject, client: this.id }
  }

  get reader(): Reader {
    return readerFor(this, this.#allowance)
  }

  /** Handles one WebSocket message from the client. */
  receive(message: Buffer, isBinary: boolean): void {
    if (!this.closed) {
      this.#input.receive(message, isBinary)
    }
  }

  handle(command: Command): void {
    const state = this.#state
    this.node.traffic.commands[command.method] += 1
    if (command.method === 'connect' && state.name === 'opened') {
      this.#state = { name: 'connecting', opened: state, afterwards: [] }
      track(this, connect(this, command.id, command.body, state.isAdmitted))
    } else if (command.method === 'connect' || state.name !== 'connected') {
      // The first command must be a well-formed `connect`, and the only one.
      this.end(disconnectCodes.badRequest)
    } else {
      dispatch(this, command, state)
    }
  }

  limited(commands: number): void {
    this.node.onLimited(this, commands)
  }

  fault(error: unknown): void {
    this.node.onFault(this, error)
    this.end(disconnectCodes.serverError)
  }

  finishConnect(id: number, body: ConnectReply): void {
    if (this.#state.name !== 'connecting') {
      return
    }
    const { opened, afterwards } = this.#state
    if ('connect' in body) {
      this.node.connectDeadline.delete(this)
      this.#state = { name: 'connected', pulse: new Pulse(this), refreshing: false }
    } else {
      this.#reopen(opened)
    }
    this.#output.sendFirst(this.codec.reply(id, body))
    if ('connect' in body) {
      this.node.events?.record(this, { type: 'connected' })
      this.subscriptions.reportEntered()
    }
    runAll(afterwards)
    this.#input.handleWaiting()
  }

  #reopen(opened: Opened): void {
    this.#state = opened
    if (this.subscriptions.size > 0) {
      this.subscriptions.leaveAll()
      this.#output.clear()
    }
  }

  useGrant(grant: Grant): void {
    this.#grantUse.use(grant)
  }

  grantEnded(reason: EndReason): void {
    if (this.closed) {
      // The last bytes are still in this process; see `#close`.
      this.#transport.destroy()
      return
    }
    const disconnect = reason === 'revoked' ? disconnectCodes.tokenRevoked : disconnectCodes.expired
    // A close frame would follow the unread bytes, and let them out first.
    this.#close(disconnect, () => (this.#transport.backlog() > 0 ? 'destroy' : 'close'))
  }

  /** The node has its lease again: input and output continue where they stopped. */
  resume(): void {
    if (this.closed) {
      return
    }
    if (this.#state.name === 'connected') {
      this.#state.pulse.resume()
    }
    this.#input.read()
    if (this.#state.name !== 'connecting') {
      this.#input.handleWaiting()
    }
    this.#output.write()
  }

  /** The node has lost its lease. Only a reset keeps back bytes that a slow peer has not taken. */
  hold(): void {
    if (this.#transport.backlog() > 0) {
      this.cut(closeCodes.leaseLost)
    }
  }

  reply(id: number, body: ReplyBody): void {
    this.send(this.codec.reply(id, body))
  }

  fail(id: number, error: ReplyError): void {
    this.reply(id, { error })
  }

  send(message: Encoded): void {
    if (!this.closed) {
      this.#output.send(message)
    }
  }

  deliver(frame: Buffer): void {
    if (!this.closed) {
      this.#output.sendFrame(frame)
    }
  }

  get waits(): boolean {
    return this.#output.waits
  }

  get awaitsReply(): boolean {
    return this.#state.name === 'connecting' && this.subscriptions.size > 0
  }

  slow(): void {
    this.#close(disconnectCodes.slow, () => 'close')
  }

  subscribe(order: SubscribeOrder): Promise<void> {
    return this.#onceDecided(async () => {
      // A client that has not sent `connect` learns of its channels in the reply to that.
      if (this.#state.name === 'connected') {
        await subscribeByOrder(this, order)
      }
    })
  }

  unsubscribe(channel: string, reason: Unsubscribe): void {
    void this.#onceDecided(async () => this.subscriptions.end(channel, reason))
  }

  /** Waits while `connect` is being decided, so that an order finds the client in its channels. */
  async #onceDecided(apply: () => Promise<void>): Promise<void> {
    while (this.#state.name === 'connecting') {
      const { afterwards } = this.#state
      await new Promise<void>((resolve) => afterwards.push(resolve))
    }
    await apply()
  }

  lost(channel: string): void {
    this.subscriptions.lost(channel)
  }

  /** Sends what waits, if the lease allows it, then closes the connection with this code. */
  end(disconnect: Disconnect): void {
    if (this.node.hold.open) {
      this.#output.write()
    }
    this.#close(disconnect, () =>
      !this.node.hold.open && this.#transport.backlog() > 0 ? 'destroy' : 'close',
    )
  }

  /** Ends the connection at once. Output that waits never leaves. */
  cut(disconnect: Disconnect): void {
    if (this.closed) {
      this.#transport.destroy()
    } else {
      this.#close(disconnect, () => 'destroy')
    }
  }

  /** The peer has closed its socket, or lost it. */
  left(): void {
    this.#close(disconnectCodes.connectionClosed, () => 'nothing')
    this.#runCleanUp()
    this.#finish()
  }

  /** No application byte leaves and no command is handled after the first line. */
  #close(disconnect: Disconnect, chooseAction: () => CloseAction): void {
    if (this.closed) {
      return
    }
    const previous = this.#state
    this.#state = closing
    this.#output.clear()
    this.#input.clear()
    if (previous.name === 'connecting') {
      runAll(previous.afterwards)
    }
    const { hub, hold, cleanups } = this.node
    hub.remove(this)
    // The peer's own close frame must be read.
    this.#input.read()
    const action = chooseAction()
    if (action === 'close') {
      this.#transport.close(disconnect.code, disconnect.reason)
    } else if (action === 'destroy') {
      this.#transport.destroy()
    }
    this.#cleanUp = () => this.#leaveEverything(previous, disconnect)
    // Bytes handed over earlier still go out while the peer takes them. Until they are gone, the
    // connection uses its grant and needs the lease.
    if (action === 'close' && this.#transport.backlog() > 0) {
      hold.addClosing(this)
    } else {
      this.#finish()
    }
    // After the close frames of all connections that close in this step.
    cleanups.run(() => this.#runCleanUp())
  }

  #runCleanUp(): void {
    const cleanUp = this.#cleanUp
    this.#cleanUp = undefined
    cleanUp?.()
  }

  #leaveEverything(previous: ConnectionState, disconnect: Disconnect): void {
    this.subscriptions.leaveAll()
    this.node.hold.delete(this)
    this.node.connectDeadline.delete(this)
    if (previous.name === 'connected') {
      previous.pulse.stop()
      this.#reportEnd(disconnect)
    }
    if (this.#state === closed) {
      this.subscriptions.drained()
    }
    this.node.onClosed(this, disconnect)
  }

  #reportEnd(disconnect: Disconnect): void {
    const { events } = this.node
    if (disconnect === disconnectCodes.tokenRevoked) {
      events?.record(this, { type: 'revoked' })
    }
    const { code, reason } = disconnect
    events?.record(this, { type: 'disconnected', code, reason })
  }

  /** Nothing of the connection is left in this process. */
  #finish(): void {
    this.#state = closed
    this.node.hold.deleteClosing(this)
    this.subscriptions.drained()
    this.#grantUse.release()
  }
}

function runAll(callbacks: readonly (() => void)[]): void {
  for (const callback of callbacks) {
    callback()
  }
}
