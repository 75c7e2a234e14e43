import { type Codec, type Disconnect, disconnectCodes, replyErrors } from '@portcullis/protocol'
import type { Transport } from './io/transport.js'
import { Deadline } from './timing/deadline.js'
import type { Grant, NoGrant, Tokens } from './tokens.js'

/** Bytes of a `connect` with a token of maximal length, and a client's name, version and data. */
const maxBytes = 8192

/** A connection as the lobby sees it. */
export interface Admitted {
  receive(message: Buffer, isBinary: boolean): void
  left(): void
}

export interface LobbyOptions {
  /** Milliseconds from the upgrade to the token. */
  deadlineMs: number
  /** Opens the connection of a client whose token is active. */
  enter: (transport: Transport, codec: Codec, grant: Grant, token: string) => Admitted
}

/**
 * Sockets whose upgrade had no token, until their first command shows one (`ADMISSION=connect`), and HTTP
 * streams whose token came in their first command. No application data is kept for them or reaches them:
 * the connection begins with the grant.
 */
export class Lobby {
  readonly #options: LobbyOptions
  readonly #guests = new Set<Guest>()
  readonly #deadline: Deadline<Guest>

  constructor(options: LobbyOptions) {
    this.#options = options
    this.#deadline = new Deadline(options.deadlineMs, (late) => late.end(disconnectCodes.stale))
  }

  get size(): number {
    return this.#guests.size
  }

  /** Takes in a socket that has just opened. `introspect` asks auth about the token that it shows. */
  add(transport: Transport, codec: Codec, introspect: Tokens['introspect']): Guest {
    const leave = () => {
      this.#guests.delete(guest)
      this.#deadline.delete(guest)
    }
    const guest = new Guest(transport, codec, { ...this.#options, introspect }, leave)
    this.#guests.add(guest)
    this.#deadline.add(guest)
    return guest
  }

  /** Closes all sockets, because the node stops. */
  close(): void {
    for (const guest of this.#guests) {
      guest.end(disconnectCodes.shutdown)
    }
  }

  stop(): void {
    this.#deadline.stop()
  }
}

interface GuestOptions extends LobbyOptions {
  introspect: Tokens['introspect']
}

type Message = [message: Buffer, isBinary: boolean]

type GuestState =
  /** No message has come. */
  | { readonly name: 'waiting' }
  /** Auth is being asked about the token. The messages are for the connection. */
  | { readonly name: 'asking'; readonly messages: Message[] }
  | { readonly name: 'admitted'; readonly connection: Admitted }
  | { readonly name: 'closed' }

/** One socket of the lobby. Passes messages on to its connection once that exists. */
export class Guest {
  readonly #transport: Transport
  readonly #codec: Codec
  readonly #options: GuestOptions
  /** Called once, when the guest leaves the lobby. */
  readonly #onLeave: () => void
  #state: GuestState = { name: 'waiting' }
  #bytes = 0

  constructor(transport: Transport, codec: Codec, options: GuestOptions, onLeave: () => void) {
    this.#transport = transport
    this.#codec = codec
    this.#options = options
    this.#onLeave = onLeave
  }

  /** True until a token is accepted or the guest has left. */
  get waits(): boolean {
    return this.#state.name === 'waiting' || this.#state.name === 'asking'
  }

  /** Handles one WebSocket message from the client. */
  receive(message: Buffer, isBinary: boolean): void {
    const state = this.#state
    if (state.name === 'admitted') {
      state.connection.receive(message, isBinary)
      return
    }
    if (state.name === 'closed') {
      return
    }
    this.#bytes += message.length
    if (isBinary !== this.#codec.binary) {
      this.end(disconnectCodes.inappropriateProtocol)
    } else if (this.#bytes > maxBytes) {
      this.end(disconnectCodes.badRequest)
    } else if (state.name === 'asking') {
      state.messages.push([message, isBinary])
    } else {
      this.#receiveFirst(message)
    }
  }

  /** The first message must have the token. */
  #receiveFirst(message: Buffer): void {
    const first = readToken(this.#codec, message)
    if (first === undefined) {
      this.end(disconnectCodes.badRequest)
      return
    }
    this.#state = { name: 'asking', messages: [[message, this.#codec.binary]] }
    this.#transport.setReading(false)
    void this.#ask(first.id, first.token)
  }

  /** The peer has closed its socket, or lost it. */
  left(): void {
    if (this.#state.name === 'admitted') {
      this.#state.connection.left()
    } else {
      this.#close()
    }
  }

  end({ code, reason }: Disconnect): void {
    if (this.#state.name === 'closed') {
      return
    }
    this.#close()
    this.#transport.setReading(true)
    this.#transport.close(code, reason)
  }

  async #ask(id: number, token: string): Promise<void> {
    const { introspect, enter } = this.#options
    const grant = await introspect(token)
    // The gate drops a grant that is not watched.
    if (this.#state.name !== 'asking') {
      return
    }
    if (typeof grant === 'string') {
      return this.#refuse(id, grant)
    }
    const { messages } = this.#state
    this.#onLeave()
    // Watches the grant. If the grant has ended meanwhile, the connection is closed at once.
    const connection = enter(this.#transport, this.#codec, grant, token)
    this.#state = { name: 'admitted', connection }
    this.#transport.setReading(true)
    for (const [message, isBinary] of messages) {
      connection.receive(message, isBinary)
    }
  }

  #refuse(id: number, reason: NoGrant): void {
    // The close code is terminal: a client would show the same token again and again.
    if (reason === 'invalid') {
      this.end(disconnectCodes.invalidToken)
      return
    }
    // Error 109 makes a client fetch a new token and reconnect.
    const error = reason === 'expired' ? replyErrors.tokenExpired : replyErrors.internal
    this.#transport.write([this.#codec.frame([this.#codec.reply(id, { error })])])
    this.end(reason === 'expired' ? disconnectCodes.expired : disconnectCodes.serverError)
  }

  #close(): void {
    if (this.#state.name === 'closed') {
      return
    }
    this.#state = { name: 'closed' }
    this.#onLeave()
  }
}

/** Returns the token of a message that begins with `connect`; undefined when it has none. */
function readToken(codec: Codec, message: Buffer): { id: number; token: string } | undefined {
  try {
    const [first] = codec.decode(message)
    if (first?.method !== 'connect') {
      return undefined
    }
    const { token = '' } = first.body
    return token === '' ? undefined : { id: first.id, token }
  } catch {
    return undefined
  }
}
