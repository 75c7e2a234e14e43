import { OAuthErrorResponse } from '@portcullis/contracts/oauth'
import { Problem } from '@portcullis/contracts/problem'
import { Type } from '@sinclair/typebox'

/** Error responses of every route under /v1. */
export const problemResponses = { '4xx': Problem, '5xx': Problem }

/** Error responses of every OAuth route. */
export const oauthErrorResponses = { '4xx': OAuthErrorResponse, '5xx': OAuthErrorResponse }

export const NoContent = Type.Null({ description: 'nothing' })
