import { isUtf8 } from 'node:buffer'
import { JsonText } from '@portcullis/protocol'
import type { FastifyInstance } from 'fastify'
import { Refusal } from '../refusals/refusal.js'
import type { NamedCommand, RunCommands } from './run-commands.js'
import { security } from './security-schemes.js'

const maxLines = 1000

/** Parameters of `disconnect` that gocent 3 writes with other names, and as null when they are not set. */
const namesOfGocent = new Map([
  ['Disconnect', 'disconnect'],
  ['ClientWhitelist', 'whitelist'],
])

/**
 * Registers `POST /api` for older HTTP clients: one command `{"method":"publish","params":{…}}` for
 * each line of the body. The answer has a line with `result` or `error` for each, in order.
 */
export function apiCommandLines(app: FastifyInstance, runCommands: RunCommands): void {
  app.register(async (lines) => {
    lines.removeContentTypeParser('application/json')
    lines.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer' },
      async (_request: unknown, bytes: Buffer) => {
        if (!isUtf8(bytes)) {
          throw new Refusal(400, 'bad_request', 'the body must be UTF-8')
        }
        return readLines(bytes.toString())
      },
    )
    lines.post<{ Body: NamedCommand[] }>(
      '/api',
      {
        onRequest: lines.admit(),
        schema: {
          summary: 'Run commands, one in each line',
          description:
            'For older HTTP clients. Each line of the body is `{"method":"publish","params":{…}}`, and each line of the answer `{"result":{…}}` or `{"error":{…}}`.',
          security: security(),
        },
      },
      async (request, reply) => {
        const replies = await runCommands(request, request.body, {
          concurrency: 1,
          write: (_name, answer) => answer,
        })
        return reply.type('application/json').send(`${replies.join('\n')}\n`)
      },
    )
  })
}

/** @throws Refusal for a body with no command, too many, or one that is malformed */
function readLines(text: string): NamedCommand[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0 || lines.length > maxLines) {
    throw new Refusal(400, 'bad_request', `send 1 to ${maxLines} commands, one in each line`)
  }
  return lines.map(readLine)
}

function readLine(line: string): NamedCommand {
  let command: unknown
  try {
    command = JSON.parse(line)
  } catch {
    throw new Refusal(400, 'bad_request', 'a line of the body is not JSON')
  }
  const { method, params } = Object(command)
  if (typeof method !== 'string' || typeof (params ?? {}) !== 'object') {
    throw new Refusal(
      400,
      'bad_request',
      'each line must be {"method":"…","params":{…}}; one command alone also has a path, such as /api/publish',
    )
  }
  // The parameters are copied: a `__proto__` among them becomes a member that no command reads.
  const body = Object.fromEntries(
    Object.entries({ ...params })
      .filter(([name, value]) => value !== null || name === 'data')
      .map(([name, value]) => [namesOfGocent.get(name) ?? name, value]),
  )
  if ('data' in body) {
    body['data'] = JsonText.member(line, ['params', 'data']) ?? body['data']
  }
  return { name: method, body }
}
