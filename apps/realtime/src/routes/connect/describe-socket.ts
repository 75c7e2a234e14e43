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
 * The clients' WebSocket as AsyncAPI 3 describes it, in its JSON form. An operation's action is that of
 * the node: it receives commands, and answers or sends pushes. PROTOCOL.md says what each is for.
 *
 * @param url - where clients reach this node
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
      'The public Centrifuge client protocol v2; PROTOCOL.md has all of it in our words.',
      'A WebSocket message holds one or more of these messages, each on a line of its own.',
      `With the subprotocol \`${protobufSubprotocol}\` the same messages travel as Protobuf.`,
      'The socket closes with one of these codes:',
      '',
      ...Object.values(disconnectCodes).map(({ code, reason }) => `- ${code} ${reason}`),
    ].join('\n'),
    url,
    address: connectPath,
    token:
      'A token that auth has issued, in the upgrade; browsers send it as the subprotocol `bearer.<token>` beside `portcullis`.',
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
