import { unsubscribeCodes } from '@portcullis/protocol'
import type { Session } from '../session.js'
import type { Subscription } from '../subscriptions/subscriptions.js'
import { callHandler } from './call-handler.js'

/** The `sub_refresh` handler is asked a tenth of the time before the end, at most this long. */
const maxAheadMs = 10_000

/**
 * Ends a subscription at a time that the application's `subscribe` handler chose, in Unix milliseconds.
 * The `sub_refresh` handler, if there is one, is asked before and may choose another time. When it
 * chooses none, or does not answer, the subscription ends as planned; clients then subscribe again.
 */
export function limitInTime(
  session: Session,
  channel: string,
  subscription: Subscription,
  expiresAt: number,
): void {
  const { node, subscriptions } = session
  const endInTime = () =>
    subscriptions.callAt(channel, subscription, expiresAt, () =>
      subscriptions.end(channel, unsubscribeCodes.expired),
    )
  if (node.handlers.subRefresh(channel) === undefined) {
    endInTime()
    return
  }
  const aheadMs = Math.min(maxAheadMs, Math.max(0, expiresAt - Date.now()) / 10)
  subscriptions.callAt(channel, subscription, expiresAt - aheadMs, () => {
    endInTime()
    askAgain(session, channel, subscription).catch((error) => session.fault(error))
  })
}

async function askAgain(
  session: Session,
  channel: string,
  subscription: Subscription,
): Promise<void> {
  const { node, subscriptions } = session
  const handler = node.handlers.subRefresh(channel)
  if (handler === undefined) {
    return
  }
  const isWanted = () => subscriptions.isCurrent(channel, subscription)
  const grant = subscription.grant ?? session.grant
  const answer = await callHandler(session, handler, { channel }, { isWanted, grant })
  if (!isWanted()) {
    return
  }
  if ('disconnect' in answer) {
    session.end(answer.disconnect)
  } else if ('result' in answer) {
    const { expired = false, expiresAt } = answer.result
    if (expired || (expiresAt !== undefined && expiresAt <= Date.now())) {
      subscriptions.end(channel, unsubscribeCodes.expired)
    } else if (expiresAt !== undefined) {
      limitInTime(session, channel, subscription, expiresAt)
    }
  }
}
