import { OAuthErrorAnswer } from '@portcullis/contracts/oauth'
import { Problem } from '@portcullis/contracts/problem'
import { Type } from '@sinclair/typebox'

/** What every route under /v1 may answer beside its own. */
export const problemAnswers = { '4xx': Problem, '5xx': Problem }

/** What every OAuth route may answer beside its own. */
export const oauthAnswers = { '4xx': OAuthErrorAnswer, '5xx': OAuthErrorAnswer }

export const NoContent = Type.Null({ description: 'nothing' })
