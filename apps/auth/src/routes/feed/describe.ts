import { AuthMessage, NodeMessage } from '@portcullis/contracts/feed'
import { describeWebSocket } from '@portcullis/service'

type NodeMessageType = NodeMessage['type']
type AuthMessageType = AuthMessage['type']
type MessageType = NodeMessageType | AuthMessageType

const nodeSummaries: Readonly<Record<NodeMessageType, string>> = {
  hello: "The node's first message: its name, and its cursor.",
  ack: 'The node has closed every connection that revocations up to a cursor cover.',
  renew: 'The node asks for its lease.',
  attend: 'The node answers inquiries. Sent after a welcome that offers them.',
  connections: "The node's connections of the tokens that an inquiry selects.",
  bye: 'The node has closed every connection and leaves.',
}
const authSummaries: Readonly<Record<AuthMessageType, string>> = {
  welcome: "The node's position in the feed.",
  events: 'Revocations, in the order of their commits.',
  lease: 'The node may pass application bytes for a while.',
  inquire: 'Asks a node that attends for its connections of the selected tokens.',
  goodbye: 'Auth has recorded that the node leaves.',
}
const replyTypes: Readonly<Partial<Record<MessageType, MessageType>>> = {
  hello: 'welcome',
  renew: 'lease',
  inquire: 'connections',
  bye: 'goodbye',
}

/**
 * Returns the AsyncAPI 3 description of the revocation feed, `GET /v1/feed`, from the schemas of its
 * messages. Operations are described from auth's side: auth receives the messages of nodes.
 *
 * @param issuer - URL of this service as clients know it
 */
export function describeFeed(issuer: string, version: string): object {
  const received = NodeMessage.anyOf.map((payload) => {
    const name = payload.properties.type.const
    return { action: 'receive', name, summary: nodeSummaries[name], payload } as const
  })
  const sent = AuthMessage.anyOf.map((payload) => {
    const name = payload.properties.type.const
    return { action: 'send', name, summary: authSummaries[name], payload } as const
  })
  const all = [...received, ...sent]
  const replies = new Set<MessageType>(Object.values(replyTypes))
  return describeWebSocket({
    title: 'Portcullis revocation feed',
    version,
    description:
      'Realtime nodes, and other services behind the gate, receive revocations over the feed, acknowledge them, and renew their leases. docs/guarantee.md describes the guarantee that depends on it.',
    url: issuer,
    address: '/v1/feed',
    token: 'An access token with the scope `feed`.',
    messages: Object.fromEntries(all.map(({ action: _, ...message }) => [message.name, message])),
    operations: all
      .filter(({ name }) => !replies.has(name))
      .map(({ action, name, summary }) => {
        const reply = replyTypes[name]
        return { action, summary, message: name, ...(reply && { replies: [reply] }) }
      }),
  })
}
