import { type Codec, type Disconnect, disconnectCodes, replyErrors } from '@portcullis/protocol'
import type { Connection } from './connection.js'
import type { Transport } from './io/transport.js'
import { Deadline } from './timing/deadline.js'
import type { Grant, Tokens } from './tokens.js'

/** A `connect` command with a token of the greatest length, and what a client may say of itself. */
const mostBytes = 8192

export interface LobbyOptions {
  /** Milliseconds from the upgrade to the token. */
  deadlineMs: number
  /** Makes the connection of a client whose token is good. */
  enter: (transport: Transport, codec: Codec, grant: Grant, token: string) => Connection
}

/**
 * Sockets whose upgrade brought no token, until their first command has shown one (`ADMISSION=connect`).
 * Nothing of the application is kept for them or reaches them: the connection begins with the grant.
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

  /** Takes in a socket that has just opened; `introspect` asks about the token that it will show. */
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

  /** The node stops: nobody comes in from here. */
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

/** One socket of the lobby, and afterwards the way to its connection. */
export class Guest {
  readonly #transport: Transport
  readonly #codec: Codec
  readonly #options: GuestOptions
  /** Called once it leaves the lobby. */
  readonly #onLeave: () => void
  /** What came behind the first message while its token is asked about. */
  #waiting: Message[] | undefined
  #bytes = 0
  #state: 'waiting' | 'asking' | 'closed' | Connection = 'waiting'

  constructor(transport: Transport, codec: Codec, options: GuestOptions, onLeave: () => void) {
    this.#transport = transport
    this.#codec = codec
    this.#options = options
    this.#onLeave = onLeave
  }

  /** Takes one WebSocket message from the client. */
  receive(message: Buffer, isBinary: boolean): void {
    const state = this.#state
    if (typeof state !== 'string') {
      state.receive(message, isBinary)
      return
    }
    if (state === 'closed') {
      return
    }
    this.#bytes += message.length
    if (isBinary !== this.#codec.binary) {
      this.end(disconnectCodes.inappropriateProtocol)
    } else if (this.#bytes > mostBytes) {
      this.end(disconnectCodes.badRequest)
    } else if (state === 'asking') {
      this.#waiting?.push([message, isBinary])
    } else {
      this.#show(message)
    }
  }

  /** The first message has to bring the token. */
  #show(message: Buffer): void {
    const first = tokenIn(this.#codec, message)
    if (first === undefined) {
      this.end(disconnectCodes.badRequest)
      return
    }
    this.#state = 'asking'
    this.#waiting = [[message, this.#codec.binary]]
    this.#transport.setReading(false)
    void this.#ask(first.id, first.token)
  }

  /** The peer is gone, or has said that it goes. */
  left(): void {
    if (typeof this.#state !== 'string') {
      this.#state.left()
    } else {
      this.#close()
    }
  }

  end({ code, reason }: Disconnect): void {
    if (this.#state === 'closed') {
      return
    }
    this.#close()
    this.#transport.setReading(true)
    this.#transport.close(code, reason)
  }

  async #ask(id: number, token: string): Promise<void> {
    const { introspect, enter } = this.#options
    const grant = await introspect(token)
    // A grant that nobody holds is given up by the gate.
    if (this.#state !== 'asking') {
      return
    }
    if (typeof grant === 'string') {
      return this.#refuse(id, grant)
    }
    const waiting = this.#waiting ?? []
    this.#onLeave()
    // Holds the grant: should it have ended meanwhile, the connection is closed at once.
    const connection = enter(this.#transport, this.#codec, grant, token)
    this.#state = connection
    this.#waiting = undefined
    this.#transport.setReading(true)
    for (const [message, isBinary] of waiting) {
      connection.receive(message, isBinary)
    }
  }

  /** 109 makes a client fetch a new token and come back; nothing keeps the place meanwhile. */
  #refuse(id: number, why: 'inactive' | 'unavailable'): void {
    const error = why === 'inactive' ? replyErrors.tokenExpired : replyErrors.internal
    this.#transport.write([this.#codec.frame([this.#codec.reply(id, { error })])])
    this.end(why === 'inactive' ? disconnectCodes.expired : disconnectCodes.serverError)
  }

  #close(): void {
    if (this.#state === 'closed') {
      return
    }
    this.#state = 'closed'
    this.#waiting = undefined
    this.#onLeave()
  }
}

/** The token of a message that begins with `connect`; undefined when it does not, or brings none. */
function tokenIn(codec: Codec, message: Buffer): { id: number; token: string } | undefined {
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
