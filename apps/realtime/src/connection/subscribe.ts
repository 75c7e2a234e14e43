import { permitsChannel } from '@portcullis/contracts'
import {
  type CommandBody,
  decodePublication,
  type ReplyError,
  replyErrors,
  type StreamPosition,
  type SubscribeResult,
} from '@portcullis/protocol'
import type { ChannelOptions } from '../hub/namespaces.js'
import type { Recovery, StoredPublication } from '../hub/stream.js'
import { announcedTtl } from './announced-ttl.js'
import { channelToken } from './channel-token.js'
import type { Connection } from './connection.js'
import type { Subscription } from './subscriptions.js'

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
  if (refusal !== undefined) return connection.fail(id, refusal)
  const subscription: Subscription = { replyTo: id, present: options.presence }
  subscriptions.begin(channel, subscription)
  // An unsubscribe, or the connection's end, takes the entry away.
  const isCurrent = () => subscriptions.get(channel) === subscription
  const expiresAt = token === '' ? undefined : await standOn(connection, subscription, body, token)
  if (!isCurrent()) return
  try {
    if (options.presence) await node.channels.enter(channel, connection.info)
    await node.hub.subscribe(channel, connection, {
      since: options.recovery ? sinceOf(body) : undefined,
      watches: options.joinLeave && body.join_leave === true,
      enter: (begin) => {
        if (!isCurrent()) return false
        // A refresh may have changed what the token permits while Redis was asked.
        if (subscription.release === undefined && !mayHear(connection, channel)) {
          connection.subscriptions.leave(channel)
          connection.fail(id, replyErrors.permissionDenied)
          return false
        }
        subscription.replyTo = undefined
        connection.reply(id, { subscribe: { ...expiry(expiresAt), ...resultOf(begin) } })
        if (options.joinLeave) connection.subscriptions.announce(channel, 'join')
        return true
      },
    })
  } catch {
    if (!isCurrent()) return
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
  if (type !== 0) return replyErrors.notAvailable
  if (token === '' && !mayHear(connection, channel)) return replyErrors.permissionDenied
  const watches = joinLeave === true && options.joinLeave
  if (watches && !permitsChannel(grant.scopes, grant.subject, 'presence', channel)) {
    return replyErrors.permissionDenied
  }
  if (subscriptions.has(channel)) return replyErrors.alreadySubscribed
  if (subscriptions.size >= node.limits.channelsPerConnection) return replyErrors.limitExceeded
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
  if (connection.subscriptions.get(channel) !== subscription) return undefined
  if ('grant' in found) {
    connection.subscriptions.standOn(channel, subscription, found.grant)
    return found.grant.expiresAt
  }
  connection.subscriptions.leave(channel)
  if (subscription.replyTo !== undefined) connection.fail(subscription.replyTo, found.error)
  return undefined
}

function expiry(expiresAt: number | undefined): SubscribeResult {
  return expiresAt === undefined ? {} : { expires: true, ttl: announcedTtl(expiresAt) }
}

function mayHear({ grant }: Connection, channel: string): boolean {
  return permitsChannel(grant.scopes, grant.subject, 'subscribe', channel)
}

function sinceOf({
  recover = false,
  offset = 0,
  epoch = '',
}: CommandBody<'subscribe'>): StreamPosition | undefined {
  return recover ? { offset, epoch } : undefined
}

function resultOf(begin: StreamPosition | Recovery | undefined): SubscribeResult {
  if (begin === undefined) return {}
  const always = { recoverable: true, positioned: true } as const
  if (!('position' in begin)) return { ...always, ...begin }
  const { position, recovered, publications } = begin
  return {
    ...always,
    ...position,
    was_recovering: true,
    ...(recovered ? { recovered, publications: publications.flatMap(readPublication) } : {}),
  }
}

/** As the client gets it. What others have written into the history and is none is left out. */
export function readPublication({ offset, encoded }: StoredPublication) {
  const publication = decodePublication(encoded)
  return publication === undefined ? [] : [{ ...publication, offset }]
}
