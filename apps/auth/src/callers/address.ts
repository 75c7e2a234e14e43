import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'

/**
 * The address that a request counts for in limits: that of the direct peer, or what a trusted proxy
 * says (`TRUST_PROXY`). IPv6 networks of 64 bits, which are handed out whole, count as one.
 */
export function addressOf(request: FastifyRequest): string {
  return normalizeIP(request.ip)
}
