/** The names that other servers of this protocol use too. */
export type TransportName = 'websocket' | 'http_stream' | 'sse'

/** A socket as a connection sees it: five methods, so that tests need no network. */
export interface Transport {
  /** Default: `websocket`. */
  readonly name?: TransportName
  /** Writes whole WebSocket frames, in order, at once. Does nothing once the socket closes. */
  write(frames: readonly Buffer[]): void
  /** Returns the bytes that were written and have not left the process. */
  backlog(): number
  /** Stops or resumes reading. Meanwhile the peer's bytes wait on its side. */
  setReading(reading: boolean): void
  /** Sends a close frame after the written bytes, and gives the peer a bounded time to answer. */
  close(code: number, reason: string): void
  /** Resets the connection: bytes still in this process or in the kernel are never sent. */
  destroy(): void
}
