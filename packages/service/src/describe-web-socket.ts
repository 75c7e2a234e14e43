/** A message of the WebSocket, by a key that no other has. */
export interface SocketMessage {
  /** As the protocol calls it; a command and its reply may share it. */
  name: string
  summary?: string
  /** JSON Schema. */
  payload: object
}

/** What the service does with a message. */
export interface SocketOperation {
  action: 'receive' | 'send'
  summary?: string
  /** Key of the message; the operation has the same. */
  message: string
  /** Keys of those that may answer it. */
  replies?: readonly string[]
}

export interface WebSocketDescription {
  title: string
  /** Markdown. */
  description: string
  version: string
  /** Where clients reach the service: `http:`, `https:`, `ws:` or `wss:`. */
  url: string
  /** Path of the WebSocket. */
  address: string
  /** What the token in the upgrade has to be. */
  token: string
  messages: Readonly<Record<string, SocketMessage>>
  operations: readonly SocketOperation[]
}

const channel = { $ref: '#/channels/socket' }
const messageAt = (key: string) => ({ $ref: `#/channels/socket/messages/${key}` })

/** The one WebSocket of a service, as AsyncAPI 3 describes it. */
export function describeWebSocket(socket: WebSocketDescription): object {
  const { title, description, version, address, token, messages, operations } = socket
  const { protocol, host, pathname } = new URL(socket.url)
  return {
    asyncapi: '3.0.0',
    info: { title, version, description, license: { name: 'Apache-2.0' } },
    defaultContentType: 'application/json',
    servers: {
      service: {
        host,
        pathname: pathname.replace(/\/+$/, '') || '/',
        protocol: protocol === 'https:' || protocol === 'wss:' ? 'wss' : 'ws',
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
    },
    channels: {
      socket: { address, messages, bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } } },
    },
    operations: Object.fromEntries(
      operations.map(({ message, replies, ...operation }) => [
        message,
        {
          ...operation,
          channel,
          messages: [messageAt(message)],
          ...(replies && { reply: { channel, messages: replies.map(messageAt) } }),
        },
      ]),
    ),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: token } },
    },
  }
}
