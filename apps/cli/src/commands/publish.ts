import { ApiError } from '@portcullis/contracts/server-api'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Command } from 'commander'
import { requestJson, wrongService } from '../api/http.js'
import { CliError } from '../errors.js'
import { channelScope } from '../options/channel-scope.js'
import { withNodeOptions } from '../options/node-options.js'
import { parsePublishData } from '../options/parse-publish-data.js'
import { printable } from '../output/printable.js'
import type { NodeChoice, OpenSession } from '../session/session.js'

const Published = Type.Object({
  result: Type.Optional(Type.Object({}, { additionalProperties: true })),
  error: Type.Optional(ApiError),
})

interface PublishOptions extends NodeChoice {
  text?: true
}

const permissionDenied = 103

/** `portcullis publish`, through the server API of a realtime node. */
export function publishCommand(program: Command, open: OpenSession): void {
  withNodeOptions(
    program
      .command('publish')
      .description('publish into a channel')
      .argument('<channel>')
      .argument('<data>', 'JSON; other text is published as a string')
      .option('--text', 'publish the data as a string, also if it is JSON'),
  ).action(async (channel: string, given: string, options: PublishOptions, command: Command) => {
    const { auth, out, realtime } = open(command)
    const { api } = realtime(options)
    const { json, warning } = parsePublishData(given, options.text)
    if (warning !== undefined) {
      out.note(`${warning}; --text sends a string without this remark`)
    }
    const token = await auth({ scope: channelScope('publish', [channel]) }).accessToken()
    const answer = await requestJson({
      service: 'realtime',
      base: api,
      path: '/api/publish',
      method: 'POST',
      token,
      jsonText: `{"channel":${JSON.stringify(channel)},"data":${json}}`,
    })
    if (!Value.Check(Published, answer)) {
      throw wrongService('realtime', api)
    }
    const { error, result = {} } = answer
    if (error !== undefined) {
      const why = `${error.code} ${printable(error.message)}`
      throw new CliError(error.code === permissionDenied ? 'refused' : 'failed', `realtime: ${why}`)
    }
    out.show({ channel, ...result }, () => `published into ${channel}`)
  })
}
