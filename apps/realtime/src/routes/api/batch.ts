import { ApiError, BatchRequest } from '@portcullis/contracts/server-api'
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { ApiCommand } from './command.js'
import type { RunCommands } from './run-commands.js'
import { security } from './security-schemes.js'

/** Concurrent commands of a parallel batch. */
const maxConcurrent = 16

/**
 * Registers `POST /api/batch`: several commands in one request, one after the other or, with
 * `parallel`, concurrently. `replies` has one entry for each command, in order: the result under
 * the command's name, or `error`.
 */
export function apiBatch(
  app: FastifyInstance,
  commands: readonly ApiCommand[],
  runCommands: RunCommands,
): void {
  const results = commands.map(({ name, result }) => [name, Type.Optional(result)])
  const Reply = Type.Object({ error: Type.Optional(ApiError), ...Object.fromEntries(results) })
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
      const { commands: given, parallel = false } = request.body
      const list = given.map((command) => {
        const [name = ''] = Object.keys(command)
        return { name, body: command[name] }
      })
      const replies = await runCommands(request, list, {
        concurrency: parallel ? maxConcurrent : 1,
        write: (name, answer) => ('error' in answer ? answer : { [name]: answer.result }),
      })
      return reply.type('application/json').send(`{"replies":[${replies.join(',')}]}`)
    },
  )
}
