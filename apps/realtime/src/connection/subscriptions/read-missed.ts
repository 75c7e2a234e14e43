import type { StreamPosition } from '@portcullis/protocol'
import type { StreamRead } from '../../hub/stream.js'
import type { Connection } from '../connection.js'

/**
 * Makes the function that reads what a client has missed in a channel. Of all channels that one command
 * recovers it gives about as many bytes as one answer may have; when there are more, or the connection
 * has used up its allowance, it gives the position alone, which recovers nothing.
 */
export function missedReader(
  connection: Connection,
): (channel: string) => (since: StreamPosition) => Promise<StreamRead> {
  const { channels, limits } = connection.node
  const reader = connection.reader
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
    connection.node.onLimited(connection, 1)
    return { position: await channels.position(channel), publications: [] }
  }
}
