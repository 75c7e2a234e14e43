import { type Delivery, pushMethod } from '@portcullis/contracts/event-receivers'
import type { FastifyRequest } from 'fastify'

/** For the audit log: where events go. The host alone, for a path may have a secret in it. */
export function noteDelivery({ audit }: FastifyRequest, delivery: Delivery): void {
  audit.detail['method'] = delivery.method
  if (delivery.method === pushMethod && URL.canParse(delivery.endpoint_url)) {
    audit.detail['endpoint'] = new URL(delivery.endpoint_url).host
  }
}
