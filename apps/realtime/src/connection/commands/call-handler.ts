import { replyErrors } from '@portcullis/protocol'
import type { Handler, HandlerCall, HandlerOutcome } from '../handlers.js'
import type { Session } from '../session.js'

/** Calls a handler of the application on behalf of a connection. */
export async function callHandler(
  session: Session,
  handler: Handler,
  input: Pick<HandlerCall, 'data' | 'method' | 'name' | 'version'>,
): Promise<HandlerOutcome> {
  const { node, grant, codec } = session
  // One client must not use up the calls that a node may have in flight.
  if (session.handlerCalls >= node.limits.handlerCalls) {
    return { error: replyErrors.tooManyRequests }
  }
  session.handlerCalls += 1
  try {
    return await handler({
      ...input,
      client: session.id,
      user: grant.subject,
      identity: grant.identity,
      scope: grant.scopes.join(' '),
      protocol: codec.binary ? 'protobuf' : 'json',
      wanted: () => !session.closed && node.hold.open,
    })
  } finally {
    session.handlerCalls -= 1
  }
}
