import type { InfoNode } from '@portcullis/contracts/server-api'
import type { FastifyInstance } from 'fastify'
import type { Channels, Reader, Unread } from '../../connection/node.js'
import type { ChannelOptions } from '../../hub/namespaces.js'
import { takeApiKey } from './api-key.js'
import { apiBatch } from './batch.js'
import { type ApiCommand, type Caller, serve } from './command.js'
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
import { requireServer } from './require-server.js'
import type { Tell } from './target.js'

/** What the server API needs of the node. */
export interface ServerApi extends Pick<Channels, 'history' | 'presence' | 'presenceStats'> {
  publish: Publish
  /** Names of channels with subscribers, on whatever node, by a glob pattern. */
  channelNames(pattern: string | undefined, reader: Reader): Promise<readonly string[] | Unread>
  optionsOf(channel: string): ChannelOptions
  limits: ApiLimits
  /** All nodes together. Each method rejects when Redis cannot do it now. */
  nodes: {
    order: Tell
    info(): Promise<InfoNode[]>
    removeHistory(channel: string, caller: Caller): Promise<void>
  }
}

/** `POST /api/<command>`: what backends send, in the shapes of the public server API. */
export function serverApi(app: FastifyInstance, given: ServerApi): void {
  const { publish, history, presence, presenceStats, optionsOf, nodes, limits } = given
  const tell: Tell = (order, caller) => nodes.order(order, caller)
  const commands: readonly ApiCommand[] = [
    apiPublish(publish, limits),
    apiBroadcast(publish, limits),
    apiSubscribe(tell, optionsOf),
    apiUnsubscribe(tell),
    apiDisconnect(tell),
    apiRefresh(tell),
    apiInfo(() => nodes.info()),
    apiHistory(history, optionsOf, limits),
    apiHistoryRemove((channel, caller) => nodes.removeHistory(channel, caller)),
    apiPresence(presence, optionsOf, limits),
    apiPresenceStats(presenceStats, optionsOf, limits),
    apiChannels(given.channelNames, limits),
  ]
  app.removeContentTypeParser('text/plain')
  app.addHook('onRequest', takeApiKey)
  app.addHook('preParsing', requireServer)
  limitApi(app, limits)
  for (const command of commands) {
    serve(app, command, limits)
  }
  apiBatch(app, commands, limits)
}
