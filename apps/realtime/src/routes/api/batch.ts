import { permits } from '@portcullis/contracts/scopes'
import { ApiError, BatchRequest } from '@portcullis/contracts/server-api'
import { type ReplyError, replyErrors, writeJson } from '@portcullis/protocol'
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ApiCommand } from './command.js'
import type { ApiLimits } from './limits.js'
import { type ApiReply, apiError } from './reply.js'
import { security } from './security-schemes.js'

/** Concurrent commands of a parallel batch. */
const maxConcurrent = 16

/**
 * Bytes of replies after which no further command runs: all replies are in memory until they are
 * sent.
 */
const maxReplyBytes = 4_194_304

/**
 * Registers `POST /api/batch`: several commands in one request, one after the other or, with
 * `parallel`, concurrently. `replies` has one entry for each command, in order: the result under
 * the command's name, or `error`. Each command needs the same scopes, and counts as much, as in a
 * request of its own. When the caller's token is revoked meanwhile, or the node loses its lease,
 * further commands do not run; commands over the caller's rate get error 111, and commands after 4
 * MiB of replies error 106.
 */
export function apiBatch(
  app: FastifyInstance,
  commands: readonly ApiCommand[],
  limits: ApiLimits,
): void {
  const byName = new Map(commands.map((command) => [command.name, command]))
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
      const { commands: list, parallel = false } = request.body
      const { identity } = request.grant
      const run = (command: Record<string, unknown>) => runCommand(app, request, byName, command)
      // The request itself was counted as the first command.
      const take = (index: number) => index === 0 || limits.take(identity)
      const replies = await runAll(list, parallel ? maxConcurrent : 1, take, run)
      return reply.type('application/json').send(`{"replies":[${replies.join(',')}]}`)
    },
  )
}

/** Runs all commands, some of them concurrently, and returns their replies as JSON, in order. */
async function runAll(
  commands: readonly Record<string, unknown>[],
  concurrency: number,
  take: (index: number) => boolean,
  run: (command: Record<string, unknown>) => Promise<string>,
): Promise<string[]> {
  const replies: string[] = []
  let bytes = 0
  const refusalOf = (index: number): ReplyError | undefined => {
    if (bytes >= maxReplyBytes) {
      return replyErrors.limitExceeded
    }
    return take(index) ? undefined : replyErrors.tooManyRequests
  }
  const remaining = commands.entries()
  const work = async () => {
    for (const [index, command] of remaining) {
      const refusal = refusalOf(index)
      const reply = refusal === undefined ? await run(command) : JSON.stringify(apiError(refusal))
      bytes += reply.length
      replies[index] = reply
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return replies
}

/**
 * Runs one command; serializes its reply at once, so that no reply blocks the event loop for long.
 */
async function runCommand(
  app: FastifyInstance,
  request: FastifyRequest,
  byName: ReadonlyMap<string, ApiCommand>,
  command: Record<string, unknown>,
): Promise<string> {
  const [name = ''] = Object.keys(command)
  const reply = await replyTo(app, request, byName.get(name), command[name])
  return writeJson('error' in reply ? reply : { [name]: reply.result })
}

async function replyTo(
  app: FastifyInstance,
  request: FastifyRequest,
  command: ApiCommand | undefined,
  body: unknown,
): Promise<ApiReply> {
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
