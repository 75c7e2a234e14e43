/** The names that other servers of this protocol use too. */
export type TransportName = 'websocket' | 'http_stream' | 'sse'

/** Where a client that only receives sends its commands: both are part of an emulation request. */
export interface EmulationAddress {
  /** Secret, because whoever has it can send commands of this connection. */
  readonly session: string
  readonly node: string
}

/**
 * What carries a connection, as the connection sees it: a WebSocket, or an HTTP stream with emulation
 * requests. It has few members, so that tests need no network.
 */
export interface Transport {
  /** Default: `websocket`. */
  readonly name?: TransportName
  /** Undefined when the commands arrive on the transport itself. */
  readonly emulation?: EmulationAddress | undefined
  /** Writes whole frames, in order, at once. Does nothing once the transport closes. */
  write(frames: readonly Buffer[]): void
  /** Returns the bytes that were written and have not left the process. */
  backlog(): number
  /** Stops or resumes reading. Meanwhile the peer's bytes wait on its side. */
  setReading(reading: boolean): void
  /** Sends the code after the written bytes, and gives the peer a bounded time to answer. */
  close(code: number, reason: string): void
  /** Resets the connection: bytes still in this process or in the kernel are never sent. */
  destroy(): void
}
