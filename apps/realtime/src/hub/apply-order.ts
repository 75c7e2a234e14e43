import { unsubscribeCodes } from '@portcullis/protocol'
import type { Hub } from './hub.js'
import type { Member } from './member.js'
import type { Order, Target } from './orders.js'

/**
 * Applies an order to the selected connections of this node and returns their number. Reports
 * failed subscriptions to `onError`.
 */
export function applyOrder(hub: Hub, order: Order, onError: (error: unknown) => void): number {
  const members = selected(hub, order)
  for (const member of members) {
    switch (order.type) {
      case 'disconnect':
        member.end({ code: order.code, reason: order.reason })
        break
      case 'subscribe':
        member.subscribe(order).catch(onError)
        break
      case 'unsubscribe':
        member.unsubscribe(order.channel, unsubscribeCodes.serverUnsubscribe)
        break
    }
  }
  return members.length
}

function selected(hub: Hub, order: Order): readonly Member[] {
  const kept = order.type === 'disconnect' ? (order.whitelist ?? []) : []
  return hub.of(order.user).filter((member) => isTarget(member, order) && !kept.includes(member.id))
}

function isTarget({ id, session, identity }: Member, target: Target): boolean {
  return (
    (target.client === undefined || id === target.client) &&
    (target.session === undefined || session === target.session) &&
    (target.identity === undefined || identity === target.identity)
  )
}
