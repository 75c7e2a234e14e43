import type { FastifyReply } from 'fastify'

/** Lets pages of every origin read a public document (Fetch, CORS protocol). */
export function allowPages(reply: FastifyReply): void {
  reply.header('access-control-allow-origin', '*')
  reply.header('cross-origin-resource-policy', 'cross-origin')
}
