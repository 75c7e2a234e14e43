import {
  commandMessages,
  disconnectCodes,
  protobufSubprotocol,
  pushMessages,
  replyMessages,
} from '@portcullis/protocol'
import { describeWebSocket } from '@portcullis/service'
import { connectPath } from './connect.js'

const named = (prefix: string, schemas: object) =>
  Object.entries(schemas).map(([name, payload]) => ({ name, key: `${prefix}_${name}`, payload }))

/**
 * Describes the clients' WebSocket as AsyncAPI 3, in JSON. Actions are those of the node: it
 * receives commands, replies to them, and sends pushes. PROTOCOL.md explains each message.
 *
 * @param url - the address of this node for clients
 */
export function describeSocket(url: string, version: string): object {
  const commands = named('command', commandMessages)
  const replies = named('reply', replyMessages)
  const pushes = named('push', pushMessages)
  const answered = new Set(replies.map(({ name }) => name))
  return describeWebSocket({
    title: 'Portcullis realtime',
    version,
    description: [
      'The public Centrifuge client protocol v2; PROTOCOL.md describes it.',
      'A WebSocket message holds one or more of these messages, one per line.',
      `With the subprotocol \`${protobufSubprotocol}\` the messages are encoded as Protobuf.`,
      'The socket closes with one of these codes:',
      '',
      ...Object.values(disconnectCodes).map(({ code, reason }) => `- ${code} ${reason}`),
    ].join('\n'),
    url,
    address: connectPath,
    token:
      'A token issued by auth, in the upgrade; browsers send it as the subprotocol `bearer.<token>`, together with `portcullis`.',
    messages: Object.fromEntries(
      [...commands, ...replies, ...pushes].map(({ key, ...message }) => [key, message]),
    ),
    operations: [
      ...commands.map(({ name, key }) => ({
        action: 'receive' as const,
        message: key,
        ...(answered.has(name) && { replies: [`reply_${name}`, 'reply_error'] }),
      })),
      ...pushes.map(({ key }) => ({ action: 'send' as const, message: key })),
    ],
  })
}
