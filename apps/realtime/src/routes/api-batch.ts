import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { ApiError, BatchRequest, permits } from '@portcullis/contracts'
import { replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { apiError } from './api-answer.js'
import type { Answer, ApiCommand } from './api-command.js'
import type { Count } from './limit-api.js'
import { security } from './security.js'

/** Commands of one parallel batch that are under way at a time. */
const mostAtOnce = 64

/**
 * `POST /api/batch`: several commands in one request, one after the other, or with `parallel` side by
 * side. `replies` has one answer for each, in order: the result under the command's name, or `error`.
 * Each needs the scopes that it needs alone, and counts as much as it does alone. When the caller's token is revoked meanwhile, or the node
 * loses its lease, the commands that have not begun are not run.
 */
export function apiBatch(
  app: FastifyInstance,
  commands: readonly ApiCommand[],
  count: Count,
): void {
  const byName = new Map(commands.map((command) => [command.name, command]))
  const results = commands.map(({ name, result }) => [name, Type.Optional(result)])
  const Reply = Type.Object({ error: Type.Optional(ApiError), ...Object.fromEntries(results) })

  async function run(request: FastifyRequest, command: Record<string, unknown>) {
    const [name = ''] = Object.keys(command)
    const answer = await answerTo(request, byName.get(name), command[name])
    return 'error' in answer ? answer : { [name]: answer.result }
  }

  async function answerTo(
    request: FastifyRequest,
    command: ApiCommand | undefined,
    body: unknown,
  ): Promise<Answer> {
    const { grant } = request
    if (command === undefined) return apiError(replyErrors.methodNotFound)
    if (grant.ended !== undefined || !app.gate.lease.held) return apiError(replyErrors.unauthorized)
    if (command.scope !== undefined && !permits(grant.scopes, command.scope)) {
      return apiError(replyErrors.permissionDenied)
    }
    if (command.body !== undefined && !request.validateInput(body, command.body)) {
      return apiError(replyErrors.badRequest)
    }
    return command.run(body, grant)
  }

  app.withTypeProvider<TypeBoxTypeProvider>().post(
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
    async (request) => {
      const { commands: list, parallel = false } = request.body
      const replies: object[] = []
      const step = parallel ? mostAtOnce : 1
      for (let at = 0; at < list.length; at += step) {
        const some = list.slice(at, at + step)
        // One after the other: each count has to see those before it. The request itself is the first.
        const isOver: boolean[] = []
        for (const [next] of some.entries()) {
          isOver.push(at + next > 0 && (await count(request)) !== undefined)
        }
        const answers = some.map((command, next) =>
          isOver[next] === true ? apiError(replyErrors.tooManyRequests) : run(request, command),
        )
        replies.push(...(await Promise.all(answers)))
      }
      return { replies }
    },
  )
}
