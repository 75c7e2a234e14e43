import { type Delivery, pushMethod } from '@portcullis/contracts/event-receivers'
import type { FastifyRequest } from 'fastify'

/** Notes for the audit log where events go. Only the host, because a path may contain a secret. */
export function noteDelivery({ audit }: FastifyRequest, delivery: Delivery): void {
  audit.detail['method'] = delivery.method
  if (delivery.method === pushMethod && URL.canParse(delivery.endpoint_url)) {
    audit.detail['endpoint'] = new URL(delivery.endpoint_url).host
  }
}
