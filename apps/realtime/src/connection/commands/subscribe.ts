import { permitsChannel } from '@portcullis/contracts/scopes'
import {
  type CommandBody,
  decodePublication,
  type ReplyError,
  readTagFilter,
  rejectUnrecovered,
  replyErrors,
  type StreamPosition,
  type SubscribeResult,
  type TagFilter,
} from '@portcullis/protocol'
import type { Wishes } from '../../hub/audience.js'
import type { ChannelOptions } from '../../hub/namespaces.js'
import type { Recovery, StoredPublication } from '../../hub/stream.js'
import type { Connection } from '../connection.js'
import { missedReader } from '../subscriptions/read-missed.js'
import type { Subscription } from '../subscriptions/subscriptions.js'
import { announcedTtl } from './announced-ttl.js'
import { channelToken } from './channel-token.js'

/** `subscribe`: answered once Redis has confirmed that this node gets the channel. */
export async function subscribe(
  connection: Connection,
  id: number,
  body: CommandBody<'subscribe'>,
): Promise<void> {
  const { channel, token = '' } = body
  const { node, subscriptions } = connection
  const options = node.optionsOf(channel)
  const refusal = refusalOf(connection, body, options)
  if (refusal !== undefined) {
    return connection.fail(id, refusal)
  }
  const wishes = wishesOf(body, options)
  if (wishes === undefined) {
    return connection.fail(id, replyErrors.badRequest)
  }
  const subscription: Subscription = { replyTo: id, present: options.presence }
  subscriptions.begin(channel, subscription)
  // An unsubscribe, or the connection's end, takes the entry away.
  const isCurrent = () => subscriptions.get(channel) === subscription
  const expiresAt = token === '' ? undefined : await standOn(connection, subscription, body, token)
  if (!isCurrent()) {
    return
  }
  try {
    if (options.presence) {
      await node.channels.enter(channel, connection.info, subscriptions.permitOf(subscription))
    }
    await node.hub.subscribe(channel, connection, {
      since: options.recovery ? sinceOf(body) : undefined,
      readMissed: missedReader(connection)(channel),
      watches: options.joinLeave && body.join_leave === true,
      wishes,
      enter: (begin) => {
        if (!isCurrent()) {
          return false
        }
        if (isRejected(body, begin)) {
          connection.subscriptions.leave(channel)
          connection.fail(id, replyErrors.unrecoverablePosition)
          return false
        }
        // A refresh may have changed what the token permits while Redis was asked.
        if (subscription.release === undefined && !mayHear(connection, channel)) {
          connection.subscriptions.leave(channel)
          connection.fail(id, replyErrors.permissionDenied)
          return false
        }
        subscription.replyTo = undefined
        connection.reply(id, { subscribe: { ...expiry(expiresAt), ...resultOf(begin, wishes) } })
        if (options.joinLeave) {
          subscriptions.announceJoin(channel, subscription)
        }
        return true
      },
    })
  } catch {
    if (!isCurrent()) {
      return
    }
    connection.subscriptions.leave(channel)
    connection.fail(id, replyErrors.internal)
  }
}

/** Why it cannot be; undefined when it can. */
function refusalOf(
  connection: Connection,
  { channel, type = 0, token = '', join_leave: joinLeave }: CommandBody<'subscribe'>,
  options: ChannelOptions,
): ReplyError | undefined {
  const { node, subscriptions, grant } = connection
  if (type !== 0) {
    return replyErrors.notAvailable
  }
  if (token === '' && !mayHear(connection, channel)) {
    return replyErrors.permissionDenied
  }
  const watches = joinLeave === true && options.joinLeave
  if (watches && !permitsChannel(grant.scopes, grant.subject, 'presence', channel)) {
    return replyErrors.permissionDenied
  }
  if (subscriptions.has(channel)) {
    return replyErrors.alreadySubscribed
  }
  if (subscriptions.size >= node.limits.channelsPerConnection) {
    return replyErrors.limitExceeded
  }
  return undefined
}

/** Has the subscription stand on a token of its own; when that is none, ends it. Gives its expiry. */
async function standOn(
  connection: Connection,
  subscription: Subscription,
  { channel }: CommandBody<'subscribe'>,
  token: string,
): Promise<number | undefined> {
  const found = await channelToken(connection, channel, token)
  if (connection.subscriptions.get(channel) !== subscription) {
    return undefined
  }
  if ('grant' in found) {
    connection.subscriptions.standOn(channel, subscription, found.grant)
    return found.grant.expiresAt
  }
  connection.subscriptions.leave(channel)
  if (subscription.replyTo !== undefined) {
    connection.fail(subscription.replyTo, found.error)
  }
  return undefined
}

/** What of the channel's publications it gets; undefined when it asks for what cannot be. */
function wishesOf(
  { delta, tf }: CommandBody<'subscribe'>,
  options: ChannelOptions,
): Wishes | undefined {
  if (tf === undefined || tf === null) {
    return { delta: options.delta && delta === 'fossil' }
  }
  const filter = options.tagsFilter ? readTagFilter(tf) : undefined
  // Few differences would be to what such a subscriber has: none are offered to it.
  return filter && { filter }
}

function expiry(expiresAt: number | undefined): SubscribeResult {
  return expiresAt === undefined ? {} : { expires: true, ttl: announcedTtl(expiresAt) }
}

/** Whether the connection's own token permits the channel. */
export function mayHear({ grant }: Connection, channel: string): boolean {
  return permitsChannel(grant.scopes, grant.subject, 'subscribe', channel)
}

/** What the client missed is lost, and it wants to get its state elsewhere before it subscribes. */
function isRejected(
  { flag = 0 }: CommandBody<'subscribe'>,
  begin: StreamPosition | Recovery | undefined,
): boolean {
  const lost = begin !== undefined && 'position' in begin && !begin.recovered
  return lost && (flag & rejectUnrecovered) !== 0
}

function sinceOf({
  recover = false,
  offset = 0,
  epoch = '',
}: CommandBody<'subscribe'>): StreamPosition | undefined {
  return recover ? { offset, epoch } : undefined
}

/** What a client is told of the place at which it begins. */
export function resultOf(
  begin: StreamPosition | Recovery | undefined,
  { delta, filter }: Wishes,
): SubscribeResult {
  const deltas = delta === true ? ({ delta } as const) : {}
  if (begin === undefined) {
    return deltas
  }
  const always = { recoverable: true, positioned: true, ...deltas } as const
  if (!('position' in begin)) {
    return { ...always, ...begin }
  }
  const { position, recovered, publications } = begin
  return {
    ...always,
    ...position,
    was_recovering: true,
    ...(recovered ? { recovered, publications: wanted(publications, filter) } : {}),
  }
}

function wanted(publications: readonly StoredPublication[], filter: TagFilter | undefined) {
  const read = publications.flatMap(readPublication)
  return filter === undefined ? read : read.filter(({ tags = {} }) => filter.matches(tags))
}

/** As the client gets it. What others have written into the history and is none is left out. */
export function readPublication({ offset, encoded }: StoredPublication) {
  const publication = decodePublication(encoded)
  return publication === undefined ? [] : [{ ...publication, offset }]
}
