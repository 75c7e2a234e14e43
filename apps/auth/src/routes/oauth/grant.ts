import type { Identity } from '@portcullis/contracts/identities'
import type { TokenRequest } from '@portcullis/contracts/oauth'
import type { TokenResponse } from '@portcullis/contracts/tokens'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** What a grant does with a request of a client that has proved who it is. */
export type Grant = (
  app: FastifyInstance,
  request: FastifyRequest & { body: TokenRequest },
  identity: Identity,
) => Promise<TokenResponse & { issued_token_type?: string }>
