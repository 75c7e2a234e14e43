import { permits } from '@portcullis/contracts/scopes'
import { type ReplyError, replyErrors, writeJson } from '@portcullis/protocol'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ApiCommand } from './command.js'
import type { ApiLimits } from './limits.js'
import { type ApiReply, apiError } from './reply.js'

/**
 * Bytes of replies after which no further command runs: all replies are in memory until they are
 * sent.
 */
const maxReplyBytes = 4_194_304

/** A command of a request with several, not validated yet. */
export interface NamedCommand {
  readonly name: string
  readonly body: unknown
}

interface RunOptions {
  /** How many commands run at the same time. With 1, they run in order. */
  concurrency: number
  /** Returns the form of a reply in the answer to the request. */
  write(name: string, reply: ApiReply): unknown
}

/**
 * Runs the commands of one request, and returns their replies as JSON, in order. Each command needs
 * the same scopes, and counts as much, as in a request of its own. When the caller's token is revoked
 * meanwhile, or the node loses its lease, further commands do not run; commands over the caller's rate
 * get error 111, and commands after 4 MiB of replies error 106.
 */
export type RunCommands = (
  request: FastifyRequest,
  list: readonly NamedCommand[],
  options: RunOptions,
) => Promise<string[]>

export function commandRunner(
  app: FastifyInstance,
  commands: readonly ApiCommand[],
  limits: ApiLimits,
): RunCommands {
  const byName = new Map(commands.map((command) => [command.name, command]))
  return async (request, list, { concurrency, write }) => {
    const { identity } = request.grant
    const replies: string[] = []
    let bytes = 0
    const refusalOf = (index: number): ReplyError | undefined => {
      if (bytes >= maxReplyBytes) {
        return replyErrors.limitExceeded
      }
      // The request itself was counted as the first command.
      return index === 0 || limits.take(identity) ? undefined : replyErrors.tooManyRequests
    }
    const remaining = list.entries()
    const work = async () => {
      for (const [index, { name, body }] of remaining) {
        const refusal = refusalOf(index)
        const reply =
          refusal === undefined
            ? await replyTo(app, request, byName.get(name), body)
            : apiError(refusal)
        // At once, so that no reply blocks the event loop for long.
        const text = writeJson(write(name, reply))
        bytes += text.length
        replies[index] = text
      }
    }
    await Promise.all(Array.from({ length: concurrency }, work))
    return replies
  }
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
