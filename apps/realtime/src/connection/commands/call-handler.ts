import { replyErrors } from '@portcullis/protocol'
import type { Handler, HandlerCall, HandlerOutcome } from '../handlers.js'
import type { Session } from '../session.js'
import type { Grant } from '../tokens.js'

type Input = Pick<HandlerCall, 'data' | 'method' | 'channel' | 'name' | 'version'>

/** On whose behalf a handler is called. */
interface CallContext {
  /** The grant whose scopes the handler learns. Default: the connection's. */
  grant?: Grant
  /** Returns false when the answer can have no effect any more. Default: while the connection is open. */
  isWanted?: () => boolean
}

/** Calls a handler of the application on behalf of a connection. */
export async function callHandler(
  session: Session,
  handler: Handler,
  input: Input,
  { grant = session.grant, isWanted = () => true }: CallContext = {},
): Promise<HandlerOutcome> {
  const { node, codec } = session
  // One client must not use up the calls that a node may have in flight.
  if (session.handlerCalls >= node.limits.handlerCalls) {
    return { error: replyErrors.tooManyRequests }
  }
  session.handlerCalls += 1
  try {
    return await handler({
      ...input,
      client: session.id,
      transport: session.transport,
      user: grant.subject,
      identity: grant.identity,
      scope: grant.scopes.join(' '),
      protocol: codec.binary ? 'protobuf' : 'json',
      wanted: () => !session.closed && node.hold.open && isWanted(),
    })
  } finally {
    session.handlerCalls -= 1
  }
}
