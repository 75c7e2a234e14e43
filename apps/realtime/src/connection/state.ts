import type { Pulse } from './timing/pulse.js'

/** The client has not sent `connect`, or its `connect` was refused. */
export interface Opened {
  readonly name: 'opened'
  /** Returns true for the token that the upgrade was admitted with. */
  readonly isAdmitted: (token: string) => boolean
}

/**
 * `connect` is being decided: auth checks its token, and the client joins the server's channels.
 * Commands wait, and output of the channels waits for the reply to `connect`.
 */
export interface Connecting {
  readonly name: 'connecting'
  /** The state to return to when `connect` is refused. */
  readonly opened: Opened
  /** Orders of the server API, to be applied after the decision. */
  readonly afterwards: (() => void)[]
}

export interface Connected {
  readonly name: 'connected'
  readonly pulse: Pulse
  /** True while auth checks the token of a `refresh`. */
  refreshing: boolean
}

/** The close frame is sent, but the peer has not taken the last bytes. They still need the grant and the lease. */
export interface Closing {
  readonly name: 'closing'
}

/** Nothing of the connection is left in this process. */
export interface Closed {
  readonly name: 'closed'
}

/**
 * The state of a connection, with what exists in that state only:
 * opened -> connecting -> connected (or opened again) -> closing -> closed.
 * The node's lease is no state of a connection: the clock decides about it at each step.
 */
export type ConnectionState = Opened | Connecting | Connected | Closing | Closed

export const closing: Closing = { name: 'closing' }
export const closed: Closed = { name: 'closed' }
