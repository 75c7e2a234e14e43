import {
  dataOfBytes,
  disconnectCodes,
  isPublication,
  type StreamPosition,
  type SubscribePush,
  type SubscribeResult,
  unsubscribeCodes,
} from '@portcullis/protocol'
import type { SubscribeOrder } from '../../hub/orders.js'
import type { Session } from '../session.js'
import { permits } from '../tokens.js'
import { type Begin, subscribePush, subscribeResult } from './begin-result.js'
import { missedReader } from './missed-reader.js'
import type { ServerSide, Subscription } from './subscriptions.js'

/** The position that a client had reached in each channel before it reconnected. */
export type Positions = Record<
  string,
  { recover?: boolean; offset?: number; epoch?: string } | undefined
>

/**
 * Puts a connecting client into those of the channels that its token permits. Returns the result of
 * each, by channel.
 *
 * @throws HubError, BrokerError when Redis is away
 */
export async function subscribeAll(
  session: Session,
  channels: readonly string[],
  positions: Positions,
): Promise<Record<string, SubscribeResult>> {
  const results = new Map<string, SubscribeResult>()
  const { node, grant } = session
  const permitted = channels.filter(
    (channel) => permits(grant, 'subscribe', channel) && !node.optionsOf(channel).isUnknown,
  )
  const readMissed = missedReader(session)
  await Promise.all(
    permitted.map((channel) => {
      const { recover = false, offset = 0, epoch = '' } = positionIn(positions, channel)
      const server: ServerSide = { granted: false, entered: false }
      const since = recover ? { offset, epoch } : undefined
      return enter(session, channel, { server, since, readMissed }, (begin) => {
        results.set(channel, subscribeResult(begin, {}))
      })
    }),
  )
  return Object.fromEntries(results)
}

function positionIn(positions: Positions, channel: string) {
  return (Object.hasOwn(positions, channel) ? positions[channel] : undefined) ?? {}
}

/**
 * Puts a connected client into a channel that the server API named. The subscription depends on the
 * API caller's permission, not on the connection's token, and ends with the connection. Does nothing
 * when the client is in the channel already. Closes the connection that has too many channels.
 *
 * @throws HubError, BrokerError when Redis is away
 */
export async function subscribeByOrder(
  session: Session,
  {
    channel,
    since,
    data,
    expiresAt,
  }: Pick<SubscribeOrder, 'channel' | 'since' | 'data' | 'expiresAt'>,
): Promise<void> {
  const { subscriptions, node, codec } = session
  if (subscriptions.has(channel)) {
    return
  }
  if (expiresAt !== undefined && expiresAt <= Date.now()) {
    return
  }
  if (subscriptions.size >= node.limits.channelsPerConnection) {
    session.end(disconnectCodes.channelLimit)
    return
  }
  const server: ServerSide = { granted: true, entered: false }
  const readMissed = missedReader(session)
  const subscription = await enter(session, channel, { server, since, readMissed }, (begin) => {
    const push: SubscribePush = {
      ...subscribePush(begin, since),
      ...(data === undefined
        ? {}
        : { data: codec.dataValue(dataOfBytes(Buffer.from(data, 'base64'))) }),
    }
    session.send(codec.subscribePush(channel, push))
    sendMissed(session, channel, begin)
  })
  if (expiresAt !== undefined) {
    subscriptions.callAt(channel, subscription, expiresAt, () =>
      subscriptions.end(channel, unsubscribeCodes.expired),
    )
  }
}

/** Sends each publication that the client missed as a push of its own. */
function sendMissed(session: Session, channel: string, begin: Begin): void {
  if (begin === undefined || !('recovered' in begin) || !begin.recovered) {
    return
  }
  for (const { encoded, offset } of begin.publications) {
    if (isPublication(encoded)) {
      session.send(session.codec.publicationPush(channel, encoded, offset))
    }
  }
}

interface ServerEntry {
  server: ServerSide
  since: StreamPosition | undefined
  readMissed: ReturnType<typeof missedReader>
}

async function enter(
  { node, subscriptions, grant }: Session,
  channel: string,
  { server, since, readMissed }: ServerEntry,
  onEnter: (begin: Begin) => void,
): Promise<Subscription> {
  const { presence } = node.optionsOf(channel)
  const subscription: Subscription = { replyTo: undefined, present: presence, server }
  subscriptions.begin(channel, subscription)
  await subscriptions.enter(channel, subscription, {
    since,
    readMissed: readMissed(channel),
    // The client has not asked for join and leave messages; it gets them where its token permits.
    watches: permits(grant, 'presence', channel),
    onEnter: (begin) => {
      server.entered = true
      onEnter(begin)
      return true
    },
  })
  return subscription
}
