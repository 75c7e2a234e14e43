import { unsubscribeCodes } from '@portcullis/protocol'
import type { Hub, Member } from './hub.js'
import type { Order, Target } from './orders.js'

/**
 * Does what an order asks of the connections on this node; gives how many it reached. What cannot be
 * done, since the backplane is away, is reported to `onError`.
 */
export function applyOrder(hub: Hub, order: Order, onError: (error: unknown) => void): number {
  const members = reached(hub, order)
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

function reached(hub: Hub, order: Order): readonly Member[] {
  const kept = order.type === 'disconnect' ? (order.whitelist ?? []) : []
  return hub.of(order.user).filter((member) => isMeant(member, order) && !kept.includes(member.id))
}

function isMeant({ id, identity }: Member, target: Target): boolean {
  return (
    (target.client === undefined || id === target.client) &&
    (target.session === undefined || id === target.session) &&
    (target.identity === undefined || identity === target.identity)
  )
}
