import type { Identity, TokenAnswer, TokenRequest } from '@portcullis/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** What a grant does with a request of a client that has proved who it is. */
export type Grant = (
  app: FastifyInstance,
  request: FastifyRequest & { body: TokenRequest },
  identity: Identity,
) => Promise<TokenAnswer & { issued_token_type?: string }>
