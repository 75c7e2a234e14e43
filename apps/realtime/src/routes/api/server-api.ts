import type { InfoNode } from '@portcullis/contracts/server-api'
import type { Grant } from '@portcullis/gate'
import { replyErrors, writeJson } from '@portcullis/protocol'
import type { FastifyInstance } from 'fastify'
import type { Channels, Reader, Unread } from '../../connection/node.js'
import type { ChannelOptions } from '../../hub/namespaces.js'
import { takeApiKey } from './api-key.js'
import { apiBatch } from './batch.js'
import { keepData } from './body.js'
import { type ApiCommand, serve } from './command.js'
import { apiCommandLines } from './command-lines.js'
import { apiBroadcast } from './commands/broadcast.js'
import { apiChannels } from './commands/channels.js'
import { apiDisconnect } from './commands/disconnect.js'
import { apiHistory } from './commands/history.js'
import { apiHistoryRemove } from './commands/history-remove.js'
import { apiInfo } from './commands/info.js'
import { apiPresence } from './commands/presence.js'
import { apiPresenceStats } from './commands/presence-stats.js'
import { apiPublish } from './commands/publish.js'
import type { Publish } from './commands/publish-into.js'
import { apiRefresh } from './commands/refresh.js'
import { apiSubscribe } from './commands/subscribe.js'
import { apiUnsubscribe } from './commands/unsubscribe.js'
import { type ApiLimits, limitApi } from './limits.js'
import type { SendOrder } from './orders.js'
import { apiError } from './reply.js'
import { requireServer } from './require-server.js'
import { commandRunner } from './run-commands.js'

/** The node, as the server API uses it. */
export interface ServerApi extends Pick<Channels, 'history' | 'presence' | 'presenceStats'> {
  publish: Publish
  /** Lists channels with subscribers on any node, by a glob pattern. */
  channelNames(pattern: string | undefined, reader: Reader): Promise<readonly string[] | Unread>
  optionsOf(channel: string): ChannelOptions
  limits: ApiLimits
  /** All nodes together. Each method rejects when Redis is away. */
  nodes: {
    order: SendOrder
    info(): Promise<InfoNode[]>
    /** Counts the clients in each channel. */
    countClients(channels: readonly string[]): Promise<readonly number[]>
    removeHistory(channel: string, caller: Grant): Promise<void>
  }
}

/** Registers `POST /api/<command>` and `POST /api`, in the shapes of the public server API. */
export function serverApi(app: FastifyInstance, given: ServerApi): void {
  const { publish, history, presence, presenceStats, optionsOf, nodes, limits } = given
  const sendOrder: SendOrder = (order, caller) => nodes.order(order, caller)
  const all: readonly ApiCommand[] = [
    apiPublish({ publish, optionsOf }, limits),
    apiBroadcast({ publish, optionsOf }, limits),
    apiSubscribe(sendOrder, optionsOf),
    apiUnsubscribe(sendOrder),
    apiDisconnect(sendOrder),
    apiRefresh(sendOrder),
    apiInfo(() => nodes.info()),
    apiHistory(history, optionsOf, limits),
    apiHistoryRemove((channel, caller) => nodes.removeHistory(channel, caller)),
    apiPresence(presence, optionsOf, limits),
    apiPresenceStats(presenceStats, optionsOf, limits),
    apiChannels(given.channelNames, (names) => nodes.countClients(names), limits),
  ]
  const commands = all.map((command) => onKnownChannels(command, optionsOf))
  app.removeContentTypeParser('text/plain')
  keepData(app)
  app.setSerializerCompiler(() => writeJson)
  app.addHook('onRequest', takeApiKey)
  app.addHook('preParsing', requireServer)
  limitApi(app, limits)
  for (const command of commands) {
    serve(app, command, limits)
  }
  const runCommands = commandRunner(app, commands, limits)
  apiBatch(app, commands, runCommands)
  apiCommandLines(app, runCommands)
}

/** Returns the command, which then refuses a `channel` that is unknown. */
function onKnownChannels(command: ApiCommand, optionsOf: ServerApi['optionsOf']): ApiCommand {
  return {
    ...command,
    run: async (body, caller) => {
      const { channel } = Object(body)
      return typeof channel === 'string' && optionsOf(channel).isUnknown
        ? apiError(replyErrors.unknownChannel)
        : command.run(body, caller)
    },
  }
}
