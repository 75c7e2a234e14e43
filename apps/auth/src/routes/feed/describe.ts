import { AuthMessage, NodeMessage } from '@portcullis/contracts/feed'
import { describeWebSocket } from '@portcullis/service'

type Asked = NodeMessage['type']
type Said = AuthMessage['type']

/** What the messages of nodes are for; see contracts for all of it. */
const asked: Readonly<Record<Asked, string>> = {
  hello: 'The first message of a node: who it is, and how far it has got.',
  ack: 'The node has closed what revocations cover, up to a cursor.',
  renew: 'The node asks for its lease.',
  attend: 'The node answers inquiries. Said after a welcome that offers them.',
  connections: 'What stands on the tokens that an inquiry selects.',
  bye: 'The node has closed every connection and leaves.',
}
const said: Readonly<Record<Said, string>> = {
  welcome: 'Where the node stands now.',
  events: 'Revocations, in the order of their commits.',
  lease: 'The node may let application bytes through for a while.',
  inquire: 'Asks a node that attends what stands on which tokens.',
  goodbye: "The node's bye is recorded.",
}
const answers: Readonly<Partial<Record<Asked | Said, Asked | Said>>> = {
  hello: 'welcome',
  renew: 'lease',
  inquire: 'connections',
  bye: 'goodbye',
}

/**
 * The revocation feed, `GET /v1/feed`, as AsyncAPI 3 describes it, from the schemas of its messages.
 * An operation's action is that of auth: it receives what nodes send.
 *
 * @param issuer - URL of this service as clients know it
 */
export function describeFeed(issuer: string, version: string): object {
  const received = NodeMessage.anyOf.map((payload) => {
    const name = payload.properties.type.const
    return { action: 'receive', name, summary: asked[name], payload } as const
  })
  const sent = AuthMessage.anyOf.map((payload) => {
    const name = payload.properties.type.const
    return { action: 'send', name, summary: said[name], payload } as const
  })
  const all = [...received, ...sent]
  const replies = new Set<Asked | Said>(Object.values(answers))
  return describeWebSocket({
    title: 'Portcullis revocation feed',
    version,
    description:
      'Over it realtime nodes, and all that stand behind the gate, hear of revocations, acknowledge them, and hold their leases. docs/guarantee.md says what rests on it.',
    url: issuer,
    address: '/v1/feed',
    token: 'An access token with the scope `feed`.',
    messages: Object.fromEntries(all.map(({ action: _, ...message }) => [message.name, message])),
    operations: all
      .filter(({ name }) => !replies.has(name))
      .map(({ action, name, summary }) => {
        const reply = answers[name]
        return { action, summary, message: name, ...(reply && { replies: [reply] }) }
      }),
  })
}
