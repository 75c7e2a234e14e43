import { defined } from '@portcullis/contracts/defined'
import type { ServiceScope } from '@portcullis/contracts/scopes'
import type { Grant } from '@portcullis/gate'
import { replyErrors } from '@portcullis/protocol'
import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { type ApiLimits, tooManyRequests } from './limits.js'
import { ApiReply } from './reply.js'
import { security } from './security-schemes.js'

/** One command of the server API: `POST /api/<name>`, and a command of `/api/batch`. */
export interface ApiCommand<Body extends TSchema = TSchema, Result extends TSchema = TSchema> {
  readonly name: string
  readonly summary: string
  /** Scope that the caller's token needs, besides the scopes for the channels in the body. */
  readonly scope?: ServiceScope
  readonly body?: Body
  readonly result: Result
  /** Runs the command with a body that its schema has accepted. */
  run(body: Static<Body>, caller: Grant): Promise<ApiReply<Static<Result>>>
}

/** Registers `POST /api/<name>`. */
export function serve(app: FastifyInstance, command: ApiCommand, limits: ApiLimits): void {
  const { name, summary, scope, body, result } = command
  app.post(
    `/api/${name}`,
    {
      onRequest: app.admit(scope === undefined ? {} : { scope }),
      schema: {
        summary,
        security: security(scope),
        ...defined({ body }),
        response: { 200: ApiReply(result) },
      },
    },
    async (request) => {
      const { grant } = request
      const reply = await command.run(request.body, grant)
      if ('error' in reply && reply.error.code === replyErrors.tooManyRequests.code) {
        throw tooManyRequests(limits, grant.identity)
      }
      return reply
    },
  )
}
