import { AuthMessage, NodeMessage } from '@portcullis/contracts'

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

const channel = { $ref: '#/channels/feed' }
const message = (type: Asked | Said) => ({ $ref: `#/channels/feed/messages/${type}` })

/**
 * The revocation feed, `GET /v1/feed`, as AsyncAPI 3 describes it, from the schemas of its messages.
 * An operation's action is that of auth: it receives what nodes send.
 *
 * @param issuer - URL of this service as clients know it
 */
export function describeFeed(issuer: string, version: string): object {
  const { protocol, host, pathname } = new URL(issuer)
  const received = NodeMessage.anyOf.map((schema) => {
    const type = schema.properties.type.const
    return { type, summary: asked[type], schema }
  })
  const sent = AuthMessage.anyOf.map((schema) => {
    const type = schema.properties.type.const
    return { type, summary: said[type], schema }
  })
  const replies = new Set<Asked | Said>(Object.values(answers))
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Portcullis revocation feed',
      version,
      description:
        'Over it realtime nodes, and all that stand behind the gate, hear of revocations, acknowledge them, and hold their leases. docs/guarantee.md says what rests on it.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      auth: {
        host,
        pathname: pathname.replace(/\/+$/, '') || '/',
        protocol: protocol === 'https:' ? 'wss' : 'ws',
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
    },
    channels: {
      feed: {
        address: '/v1/feed',
        messages: Object.fromEntries(
          [...received, ...sent].map(({ type, summary, schema }) => [
            type,
            { name: type, summary, payload: schema },
          ]),
        ),
        bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
      },
    },
    operations: Object.fromEntries(
      [
        ...received.map(({ type, summary }) => ({ type, action: 'receive', summary })),
        ...sent.map(({ type, summary }) => ({ type, action: 'send', summary })),
      ]
        .filter(({ type }) => !replies.has(type))
        .map(({ type, action, summary }) => {
          const reply = answers[type]
          const answered = reply && { reply: { channel, messages: [message(reply)] } }
          return [type, { action, channel, summary, messages: [message(type)], ...answered }]
        }),
    ),
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'An access token with the scope `feed`.',
        },
      },
    },
  }
}
