import type { InfoNode } from '@portcullis/contracts/server-api'
import type { FastifyInstance } from 'fastify'
import type { Channels, Reader, Unread } from '../connection/node.js'
import type { ChannelOptions } from '../hub/namespaces.js'
import { apiBatch } from './api-batch.js'
import { apiBroadcast } from './api-broadcast.js'
import { apiChannels } from './api-channels.js'
import { type ApiCommand, type Caller, serve } from './api-command.js'
import { apiDisconnect } from './api-disconnect.js'
import { apiHistory } from './api-history.js'
import { apiHistoryRemove } from './api-history-remove.js'
import { apiInfo } from './api-info.js'
import { takeApiKey } from './api-key.js'
import { apiPresence } from './api-presence.js'
import { apiPresenceStats } from './api-presence-stats.js'
import { apiPublish } from './api-publish.js'
import { apiRefresh } from './api-refresh.js'
import { apiSubscribe } from './api-subscribe.js'
import type { Tell } from './api-target.js'
import { apiUnsubscribe } from './api-unsubscribe.js'
import { type ApiLimits, limitApi } from './limit-api.js'
import type { Publish } from './publish-into.js'
import { requireServer } from './require-server.js'

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
