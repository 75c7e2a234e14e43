import type { FastifyRequest } from 'fastify'
import { Refusal } from '../refusals/refusal.js'

/** Returns true for the Protobuf form. */
export function isBinaryBody({ headers }: FastifyRequest): boolean {
  return headers['content-type']?.startsWith('application/octet-stream') ?? false
}

/** @throws Refusal 400 when there is no body */
export function readBody({ body }: FastifyRequest): Buffer {
  if (body instanceof Buffer && body.length > 0) {
    return body
  }
  throw new Refusal(400, 'invalid_request', 'the request needs a body with commands')
}
