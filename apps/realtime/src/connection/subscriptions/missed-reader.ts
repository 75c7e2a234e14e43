import type { StreamPosition } from '@portcullis/protocol'
import type { StreamRead } from '../../hub/stream.js'
import type { Session } from '../session.js'

/**
 * Returns a function that makes, for each channel, the reader of what the client missed there. All
 * channels that one command recovers share the bytes of one answer. Beyond that, or beyond the
 * connection's rate, a reader returns the position alone, which recovers nothing.
 */
export function missedReader(
  session: Session,
): (channel: string) => (since: StreamPosition) => Promise<StreamRead> {
  const { channels, limits } = session.node
  const reader = session.reader
  let bytes = 0
  const mayRead = () => bytes < limits.answerBytes && reader.mayRead()
  const chargeRead = (read: number) => {
    bytes += read
    reader.chargeRead(read)
  }
  return (channel) => async (since) => {
    const query = { since, limit: -1 }
    const read = await channels.history(channel, query, { ...reader, mayRead, chargeRead })
    if (typeof read !== 'string') {
      return read
    }
    session.limited(1)
    return { position: await channels.position(channel), publications: [] }
  }
}
