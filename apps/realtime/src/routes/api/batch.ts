import { permits } from '@portcullis/contracts/scopes'
import { ApiError, BatchRequest } from '@portcullis/contracts/server-api'
import { replyErrors } from '@portcullis/protocol'
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { apiError } from './answer.js'
import type { Answer, ApiCommand } from './command.js'
import type { ApiLimits } from './limits.js'
import { security } from './security.js'

/** Commands of one parallel batch that are under way at a time. */
const maxAtOnce = 16

/** Bytes of an answer after which no further command is run: all of it is in memory until it is sent. */
const maxAnswerBytes = 4_194_304

/**
 * `POST /api/batch`: several commands in one request, one after the other, or with `parallel` side by
 * side. `replies` has one answer for each, in order: the result under the command's name, or `error`.
 * Each needs the scopes that it needs alone, and counts as much as it does alone. When the caller's token
 * is revoked meanwhile, or the node loses its lease, the commands that have not begun are not run; those
 * beyond the caller's rate are answered 111, and those after 4 MiB of answers 106.
 */
export function apiBatch(
  app: FastifyInstance,
  commands: readonly ApiCommand[],
  limits: ApiLimits,
): void {
  const byName = new Map(commands.map((command) => [command.name, command]))
  const results = commands.map(({ name, result }) => [name, Type.Optional(result)])
  const Reply = Type.Object({ error: Type.Optional(ApiError), ...Object.fromEntries(results) })

  /** Gives the JSON of one command's answer: written piece by piece, no answer takes long. */
  async function run(request: FastifyRequest, command: Record<string, unknown>): Promise<string> {
    const [name = ''] = Object.keys(command)
    const answer = await answerTo(request, byName.get(name), command[name])
    return JSON.stringify('error' in answer ? answer : { [name]: answer.result })
  }

  async function answerTo(
    request: FastifyRequest,
    command: ApiCommand | undefined,
    body: unknown,
  ): Promise<Answer> {
    const { grant } = request
    if (command === undefined) {
      return apiError(replyErrors.methodNotFound)
    }
    if (grant.ended !== undefined || !app.gate.lease.held) {
      return apiError(replyErrors.unauthorized)
    }
    if (command.scope !== undefined && !permits(grant.scopes, command.scope)) {
      return apiError(replyErrors.permissionDenied)
    }
    if (command.body !== undefined && !request.validateInput(body, command.body)) {
      return apiError(replyErrors.badRequest)
    }
    return command.run(body, grant)
  }

  app.post<{ Body: Static<typeof BatchRequest> }>(
    '/api/batch',
    {
      onRequest: app.admit(),
      schema: {
        summary: 'Run several commands',
        security: security(),
        body: BatchRequest,
        response: { 200: Type.Object({ replies: Type.Array(Reply) }) },
      },
    },
    async (request, reply) => {
      const { commands: list, parallel = false } = request.body
      const { identity } = request.grant
      const replies: string[] = []
      let bytes = 0
      const remaining = list.entries()
      const work = async () => {
        for (const [at, command] of remaining) {
          // The request itself was counted as the first.
          const refusal =
            bytes >= maxAnswerBytes
              ? replyErrors.limitExceeded
              : at > 0 && !limits.take(identity)
                ? replyErrors.tooManyRequests
                : undefined
          const answer =
            refusal === undefined ? await run(request, command) : JSON.stringify(apiError(refusal))
          bytes += answer.length
          replies[at] = answer
        }
      }
      await Promise.all(Array.from({ length: parallel ? maxAtOnce : 1 }, work))
      return reply.type('application/json').send(`{"replies":[${replies.join(',')}]}`)
    },
  )
}
