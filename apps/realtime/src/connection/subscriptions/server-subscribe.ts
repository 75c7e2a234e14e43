import { permitsChannel } from '@portcullis/contracts/scopes'
import {
  disconnectCodes,
  type StreamPosition,
  type SubscribePush,
  type SubscribeResult,
} from '@portcullis/protocol'
import type { SubscribeOrder } from '../../hub/orders.js'
import type { Recovery } from '../../hub/stream.js'
import { mayHear, readPublication, resultOf } from '../commands/subscribe.js'
import type { Connection } from '../connection.js'
import { missedReader } from './read-missed.js'
import type { ServerSide, Subscription } from './subscriptions.js'

/** How far a client got in a channel before it came back. */
export type Positions = Record<
  string,
  { recover?: boolean; offset?: number; epoch?: string } | undefined
>

/**
 * Puts a connecting client into channels: those that its token permits. Gives the result of each, by
 * channel.
 *
 * @throws HubError, BrokerError when Redis is away
 */
export async function subscribeAll(
  connection: Connection,
  channels: readonly string[],
  positions: Positions,
): Promise<Record<string, SubscribeResult>> {
  const results = new Map<string, SubscribeResult>()
  const permitted = channels.filter((channel) => mayHear(connection, channel))
  const readMissed = missedReader(connection)
  await Promise.all(
    permitted.map((channel) => {
      const { recover = false, offset = 0, epoch = '' } = positionIn(positions, channel)
      const server: ServerSide = { granted: false, entered: false }
      const since = recover ? { offset, epoch } : undefined
      return enter(connection, channel, { server, since, readMissed }, (begin) => {
        results.set(channel, resultOf(begin, {}))
      })
    }),
  )
  return Object.fromEntries(results)
}

function positionIn(positions: Positions, channel: string) {
  return (Object.hasOwn(positions, channel) ? positions[channel] : undefined) ?? {}
}

/**
 * Puts a connected client into a channel that the server API has named. It stands on the caller's
 * permission, not on the connection's token; it ends with the connection. One that is in the channel
 * already stays as it is. With one channel too many the connection is closed.
 *
 * @throws HubError, BrokerError when Redis is away
 */
export async function subscribeByOrder(
  connection: Connection,
  {
    channel,
    since,
    data,
    expiresAt,
  }: Pick<SubscribeOrder, 'channel' | 'since' | 'data' | 'expiresAt'>,
): Promise<void> {
  const { subscriptions, node, codec } = connection
  // A client that has not connected yet learns of its channels in the reply to that.
  if (connection.state === 'opened' || connection.closed || subscriptions.has(channel)) {
    return
  }
  if (expiresAt !== undefined && expiresAt <= Date.now()) {
    return
  }
  if (subscriptions.size >= node.limits.channelsPerConnection) {
    connection.end(disconnectCodes.channelLimit)
    return
  }
  const server: ServerSide = { granted: true, entered: false }
  const readMissed = missedReader(connection)
  await enter(connection, channel, { server, since, readMissed }, (begin) => {
    const push: SubscribePush = {
      ...pushOf(begin, since),
      ...(data === undefined ? {} : { data: codec.dataOf(data) }),
    }
    connection.send(codec.subscribePush(channel, push))
    if (begin === undefined || !('recovered' in begin) || !begin.recovered) {
      return
    }
    for (const publication of begin.publications) {
      if (readPublication(publication).length === 0) {
        continue
      }
      connection.send(codec.publicationPush(channel, publication.encoded, publication.offset))
    }
  })
  if (expiresAt !== undefined) {
    subscriptions.endAt(channel, server, expiresAt)
  }
}

/** A push carries no publications: it says where the client was, and they follow one by one. */
function pushOf(
  begin: StreamPosition | Recovery | undefined,
  since: StreamPosition | undefined,
): SubscribePush {
  if (begin === undefined) {
    return {}
  }
  const always = { recoverable: true, positioned: true } as const
  if (!('position' in begin)) {
    return { ...always, ...begin }
  }
  return { ...always, ...(begin.recovered && since !== undefined ? since : begin.position) }
}

async function enter(
  connection: Connection,
  channel: string,
  {
    server,
    since,
    readMissed,
  }: {
    server: ServerSide
    since: StreamPosition | undefined
    readMissed: ReturnType<typeof missedReader>
  },
  onEntered: (begin: StreamPosition | Recovery | undefined) => void,
): Promise<void> {
  const { node, subscriptions, grant } = connection
  const options = node.optionsOf(channel)
  const subscription: Subscription = { replyTo: undefined, present: options.presence, server }
  subscriptions.begin(channel, subscription)
  // An unsubscribe, or the connection's end, takes the entry away.
  const isCurrent = () => subscriptions.get(channel) === subscription
  try {
    if (options.presence) {
      await node.channels.enter(channel, connection.info, subscriptions.permitOf(subscription))
    }
    await node.hub.subscribe(channel, connection, {
      since: options.recovery ? since : undefined,
      readMissed: readMissed(channel),
      // Nobody has asked: who may know is told.
      watches:
        options.joinLeave && permitsChannel(grant.scopes, grant.subject, 'presence', channel),
      enter: (begin) => {
        if (!isCurrent()) {
          return false
        }
        server.entered = true
        onEntered(begin)
        if (options.joinLeave) {
          subscriptions.announceJoin(channel, subscription)
        }
        return true
      },
    })
  } catch (error) {
    if (!isCurrent()) {
      return
    }
    subscriptions.leave(channel)
    throw error
  }
}
