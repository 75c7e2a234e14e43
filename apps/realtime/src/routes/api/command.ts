import type { ServiceScope } from '@portcullis/contracts/scopes'
import type { ApiError } from '@portcullis/contracts/server-api'
import { replyErrors } from '@portcullis/protocol'
import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiAnswer } from './answer.js'
import { type ApiLimits, tooManyRequests } from './limits.js'
import { security } from './security.js'

/** The token that a command is run for. */
export type Caller = FastifyRequest['grant']

/** What a command answers: its result, or an error whose code is one of the client protocol. */
export type Answer<T = unknown> = { result: T } | { error: ApiError }

/** One command of the server API: a route of its own, and one that `/api/batch` can run. */
export interface ApiCommand<Body extends TSchema = TSchema, Result extends TSchema = TSchema> {
  readonly name: string
  readonly summary: string
  /** What the caller's token has to include, beside what the body's channels ask for. */
  readonly scope?: ServiceScope
  readonly body?: Body
  readonly result: Result
  /** Takes a body that its schema has accepted. */
  run(body: Static<Body>, caller: Caller): Promise<Answer<Static<Result>>>
}

/** `POST /api/<name>`. */
export function serve(app: FastifyInstance, command: ApiCommand, limits: ApiLimits): void {
  const { name, summary, scope, body, result } = command
  app.post(
    `/api/${name}`,
    {
      onRequest: app.admit(scope === undefined ? {} : { scope }),
      schema: {
        summary,
        security: security(scope),
        ...(body === undefined ? {} : { body }),
        response: { 200: ApiAnswer(result) },
      },
    },
    async (request) => {
      const { grant } = request
      const answer = await command.run(request.body, grant)
      const isOver = 'error' in answer && answer.error.code === replyErrors.tooManyRequests.code
      if (isOver) {
        throw tooManyRequests(limits, grant.identity)
      }
      return answer
    },
  )
}
