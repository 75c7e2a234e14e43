import type { Identity } from '@portcullis/contracts/identities'
import type { TokenRequest } from '@portcullis/contracts/oauth'
import type { TokenResponse } from '@portcullis/contracts/tokens'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Issues a token for a grant; the client is already authenticated as `identity`. */
export type GrantHandler = (
  app: FastifyInstance,
  request: FastifyRequest & { body: TokenRequest },
  identity: Identity,
) => Promise<TokenResponse & { issued_token_type?: string }>
