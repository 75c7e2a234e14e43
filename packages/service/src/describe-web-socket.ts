/** A message of the WebSocket. Its key is unique. */
export interface SocketMessage {
  /** The protocol's name; a command and its reply may share it. */
  name: string
  summary?: string
  /** JSON Schema. */
  payload: object
}

/** An operation of the service: it receives or sends a message. */
export interface SocketOperation {
  action: 'receive' | 'send'
  summary?: string
  /** Key of the message; also the key of the operation. */
  message: string
  /** Keys of the possible replies. */
  replies?: readonly string[]
}

export interface WebSocketDescription {
  title: string
  /** Markdown. */
  description: string
  version: string
  /** The service's URL for clients: `http:`, `https:`, `ws:` or `wss:`. */
  url: string
  /** Path of the WebSocket. */
  address: string
  /** Describes the token that the upgrade requires. */
  token: string
  messages: Readonly<Record<string, SocketMessage>>
  operations: readonly SocketOperation[]
}

const channel = { $ref: '#/channels/socket' }
const messageAt = (key: string) => ({ $ref: `#/channels/socket/messages/${key}` })

/** Returns the AsyncAPI 3 document of a service's WebSocket. */
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
