import {
  commandMessages,
  disconnectCodes,
  protobufSubprotocol,
  pushMessages,
  replyMessages,
} from '@portcullis/protocol'
import { connectPath } from './connect.js'

const channel = { $ref: '#/channels/connection' }
const message = (name: string) => ({ $ref: `#/channels/connection/messages/${name}` })
const named = (prefix: string, schemas: object) =>
  Object.entries(schemas).map(([name, payload]) => ({ name, key: `${prefix}_${name}`, payload }))

/**
 * The clients' WebSocket as AsyncAPI 3 describes it, in its JSON form. An operation's action is that of
 * the node: it receives commands, and answers or sends pushes. PROTOCOL.md says what each is for.
 *
 * @param url - where clients reach this node
 */
export function describeSocket(url: string, version: string): object {
  const { protocol, host, pathname } = new URL(url)
  const commands = named('command', commandMessages)
  const replies = named('reply', replyMessages)
  const pushes = named('push', pushMessages)
  const answered = new Set(replies.map(({ name }) => name))
  return {
    asyncapi: '3.0.0',
    info: {
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
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      node: {
        host,
        pathname: pathname.replace(/\/+$/, '') || '/',
        protocol: protocol === 'https:' || protocol === 'wss:' ? 'wss' : 'ws',
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
    },
    channels: {
      connection: {
        address: connectPath,
        messages: Object.fromEntries(
          [...commands, ...replies, ...pushes].map(({ name, key, payload }) => [
            key,
            { name, payload },
          ]),
        ),
        bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
      },
    },
    operations: Object.fromEntries([
      ...commands.map(({ name, key }) => [
        key,
        {
          action: 'receive',
          channel,
          messages: [message(key)],
          ...(answered.has(name) && {
            reply: { channel, messages: [message(`reply_${name}`), message('reply_error')] },
          }),
        },
      ]),
      ...pushes.map(({ key }) => [key, { action: 'send', channel, messages: [message(key)] }]),
    ]),
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A token that auth has issued, in the upgrade; browsers send it as the subprotocol `bearer.<token>` beside `portcullis`.',
        },
      },
    },
  }
}
