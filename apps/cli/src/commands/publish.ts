import { ApiError, type PublishRequest } from '@portcullis/contracts/server-api'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Command } from 'commander'
import { exchange } from '../api/exchange.js'
import { CliError } from '../errors.js'
import { withNodeOptions } from '../options/options.js'
import { parsePublishData } from '../options/parse-publish-data.js'
import { printable } from '../output/printable.js'
import type { NodeChoice, OpenSession } from '../session/session.js'

const Published = Type.Object({
  result: Type.Optional(Type.Object({}, { additionalProperties: true })),
  error: Type.Optional(ApiError),
})

/** `portcullis publish`: through a realtime node's server API. */
export function publishCommand(program: Command, open: OpenSession): void {
  withNodeOptions(
    program
      .command('publish')
      .description('publish into a channel')
      .argument('<channel>')
      .argument('<data>', 'JSON, or else taken as text'),
  ).action(async (channel: string, text: string, choice: NodeChoice, command: Command) => {
    const { auth, out, realtime } = open(command)
    const { api } = realtime(choice)
    const issuer = auth()
    const token = await issuer.accessToken()
    const json: PublishRequest = { channel, data: parsePublishData(text) }
    const answer = await exchange({
      service: 'realtime',
      base: api,
      path: '/api/publish',
      method: 'POST',
      token,
      json,
    })
    if (!Value.Check(Published, answer)) {
      throw new CliError('failed', `${api} does not answer like realtime: is the URL right?`)
    }
    const { error, result = {} } = answer
    if (error !== undefined) {
      const why = `${error.code} ${printable(error.message)}`
      throw new CliError(error.code === 103 ? 'refused' : 'failed', `realtime: ${why}`)
    }
    out.show({ channel, ...result }, () => `published into ${channel}`)
  })
}
