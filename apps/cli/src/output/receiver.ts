import { type EventReceiver, pushMethod } from '@portcullis/contracts/event-receivers'
import type { Output } from './output.js'
import { relative } from './time.js'

/** Returns a table of receivers. */
export function receiverList(out: Output, receivers: readonly EventReceiver[]): string {
  return out.table<EventReceiver>(
    [
      { head: 'ID', value: ({ id }) => id, whole: true },
      {
        head: 'STATUS',
        value: ({ status }) => status,
        whole: true,
        paint: (text) => (text.startsWith('enabled') ? out.paint.green(text) : out.paint.red(text)),
      },
      { head: 'DELIVERY', value: deliveryText },
      { head: 'QUEUED', value: ({ progress }) => `${progress.pending}`, right: true },
      { head: 'OLDEST', value: ({ progress }) => ago(progress.oldestAt) ?? '', whole: true },
      { head: 'DELIVERED', value: ({ progress }) => `${progress.delivered}`, right: true },
      { head: 'MISSED', value: ({ progress }) => missed(progress), paint: out.paint.red },
    ],
    receivers,
    'no receivers; add one with portcullis receiver add',
  )
}

/** Returns all fields of a receiver. */
export function receiverText(out: Output, receiver: EventReceiver): string {
  const { delivery, aud, identities, progress } = receiver
  const { lastDeliveredAt, lastFailure, pending, oldestAt, delivered } = progress
  const header = delivery.authorized ? ', with an Authorization header' : ''
  return out.fields([
    ['id', receiver.id],
    ['status', receiver.status],
    ['delivery', `${deliveryText(receiver)}${header}`],
    ['poll at', delivery.method === pushMethod ? undefined : delivery.endpoint_url],
    ['audience', [aud].flat().join(' ')],
    ['hears of', identities === undefined ? 'every identity' : identities.join(' ')],
    ['identity', receiver.identity],
    ['description', receiver.description],
    ['created', new Date(receiver.createdAt).toISOString()],
    ['queued', oldestAt === undefined ? `${pending}` : `${pending}, the oldest ${ago(oldestAt)}`],
    [
      'delivered',
      lastDeliveredAt === undefined
        ? `${delivered}`
        : `${delivered}, the last ${ago(lastDeliveredAt)}`,
    ],
    ['missed', missed(progress) || undefined],
    [
      'last failure',
      lastFailure === undefined ? undefined : `${lastFailure.error}, ${ago(lastFailure.at)}`,
    ],
  ])
}

function deliveryText({ delivery, identity = '' }: EventReceiver): string {
  return delivery.method === pushMethod ? `push ${delivery.endpoint_url}` : `poll as ${identity}`
}

/** Returns the events that the receiver did not get, by cause: `3 dropped, 1 expired`. */
function missed({ refused, expired, dropped, lost }: EventReceiver['progress']): string {
  const counts = { refused, expired, dropped, lost }
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([cause, count]) => `${count} ${cause}`)
    .join(', ')
}

function ago(at: number | undefined): string | undefined {
  return at === undefined ? undefined : relative(at)
}
