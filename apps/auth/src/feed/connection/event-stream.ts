import type { AuthMessage } from '@portcullis/contracts/feed'
import type { Batch, FeedHub } from '../hub.js'
import type { FeedRegistry } from '../registry.js'
import type { NodeProgress } from './node-progress.js'

/** Events in one message while a node catches up, for each partition. */
const maxEventsPerRead = 500
/** A node with more unread bytes is too slow to receive revocations in time. */
const maxBacklogBytes = 8 * 1024 * 1024

export interface EventStreamOptions {
  registry: Pick<FeedRegistry, 'readFeed'>
  hub: Pick<FeedHub, 'position' | 'movedFrom'>
  progress: NodeProgress
  /** Aborts when the connection ends. */
  ended: AbortSignal
  /** Resolves when the bytes have left for the network. */
  send: (message: AuthMessage | Buffer) => Promise<void>
  /** Bytes that wait to be sent. */
  backlog: () => number
  /** The feed no longer has the events after the node's cursor. */
  onLost: () => void
  /** The node reads too slowly. */
  onSlow: () => void
}

/**
 * The events that one node receives, without gap or duplicate.
 *
 * 1. The process has one tail, which reads the feed of the registry and hands each batch to the hub.
 * 2. The hub's position is the cursor after the last batch.
 * 3. A node that joins starts at its own cursor, which may be far behind the hub's position.
 * 4. Backfill: the stream reads the feed from the node's cursor and sends what it finds; it ignores
 *    the batches of the hub meanwhile.
 * 5. A read may see events that the tail has not read yet; then the stream waits until the hub moves.
 * 6. Cut-over: when the node's cursor equals the hub's position, the stream becomes live in the same
 *    synchronous step, so that no batch falls between the comparison and the change.
 * 7. Streaming: a live stream sends each batch of the hub unchanged; it was encoded once for all nodes.
 * 8. When the feed was trimmed or went backwards, the stream reports the loss, and the node reconnects.
 */
export class EventStream {
  readonly #options: EventStreamOptions
  #mode: 'idle' | 'backfill' | 'live' | 'stopped' = 'idle'

  constructor(options: EventStreamOptions) {
    this.#options = options
  }

  /** Sends the events after `progress.sent`. Resolves when the stream is live, or has ended. */
  async start(): Promise<void> {
    this.#mode = 'backfill'
    const { registry, hub, progress, ended, send, onLost } = this.#options
    while (!ended.aborted && this.#mode === 'backfill') {
      const { position } = hub
      if (progress.sent === position) {
        this.#mode = 'live'
        return
      }
      const read = await registry.readFeed(progress.sent, maxEventsPerRead)
      if (ended.aborted) {
        return
      }
      if (read === 'lost') {
        onLost()
        return
      }
      if (read.revocations.length === 0) {
        await hub.movedFrom(position, { signals: [ended] })
        continue
      }
      const sent = send({ type: 'events', ...read })
      progress.sent = read.cursor
      await sent
    }
  }

  /** Takes a batch of the hub. */
  onBatch({ encoded, cursor }: Batch): void {
    const { progress, ended, send, backlog, onSlow } = this.#options
    if (this.#mode !== 'live' || ended.aborted) {
      return
    }
    void send(encoded)
    progress.sent = cursor
    if (backlog() > maxBacklogBytes) {
      onSlow()
    }
  }

  /** Sends no further events. */
  stop(): void {
    this.#mode = 'stopped'
  }
}
