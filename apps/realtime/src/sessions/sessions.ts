/** A connection, or a client that is being admitted, as its emulation requests see it. */
export interface CommandReceiver {
  receive(message: Buffer, isBinary: boolean): void
}

/** Kinds of HTTP streams, as settings and metrics name them. */
export const streamKinds = ['http_stream', 'sse'] as const
export type StreamKind = (typeof streamKinds)[number]

interface Session {
  readonly kind: StreamKind
  readonly receiver: CommandReceiver
}

/** One frame of commands for a session. */
export interface SessionCommands {
  readonly session: string
  readonly data: Buffer
  /** True for the Protobuf form. */
  readonly isBinary: boolean
}

/**
 * The HTTP streams of this node, by their secret session ids. A session ends with its stream. Between the
 * end of its connection and the end of its stream, commands have no effect.
 */
export class Sessions {
  readonly #sessions = new Map<string, Session>()
  readonly #counts: Record<StreamKind, number> = { http_stream: 0, sse: 0 }

  /** Number of open streams of each kind. */
  get counts(): Readonly<Record<StreamKind, number>> {
    return this.#counts
  }

  /** Adds a session; returns the function that removes it. */
  add(id: string, kind: StreamKind, receiver: CommandReceiver): () => void {
    this.#sessions.set(id, { kind, receiver })
    this.#counts[kind] += 1
    return () => {
      if (this.#sessions.delete(id)) {
        this.#counts[kind] -= 1
      }
    }
  }

  /** Hands commands to their session's connection. Returns false when this node has no such session. */
  receive({ session, data, isBinary }: SessionCommands): boolean {
    const found = this.#sessions.get(session)
    found?.receiver.receive(data, isBinary)
    return found !== undefined
  }
}
