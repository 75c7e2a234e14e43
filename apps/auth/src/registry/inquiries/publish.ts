import type { Inquire } from '@portcullis/contracts/feed'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'

/** Asks the nodes of every auth instance. */
export async function publishInquiry({ redis, keys }: Registry, inquiry: Inquire): Promise<void> {
  await guard(redis.publish(keys.inquiries, JSON.stringify(inquiry)))
}
