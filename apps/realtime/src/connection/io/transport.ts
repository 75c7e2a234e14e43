/** What a connection sees of its socket: five methods, so that its logic is tested without a network. */
export interface Transport {
  /** Hands whole WebSocket frames over, in order, in one write. Does nothing once the socket closes. */
  write(frames: readonly Buffer[]): void
  /** Bytes handed over that have not left the process. */
  backlog(): number
  /** Stops and resumes reading: what the peer sends meanwhile waits on its side. */
  setReading(reading: boolean): void
  /** Sends a close frame after what was written, and gives the peer a bounded time to answer. */
  close(code: number, reason: string): void
  /** Resets the connection: what has not left the process never does, nor what the kernel still has. */
  destroy(): void
}
