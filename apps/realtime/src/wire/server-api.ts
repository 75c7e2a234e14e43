import type { FastifyInstance } from 'fastify'
import type { Broker } from '../broker/broker.js'
import type { Config } from '../config/config.js'
import type { Rates } from '../connection/io/allowance.js'
import type { Tokens } from '../connection/tokens.js'
import type { Counts } from '../metrics/counts.js'
import { ApiLimits } from '../routes/api/limits.js'
import { serverApi } from '../routes/api/server-api.js'
import type { BulkReads } from '../scheduling/bulk-reads.js'
import { FairQueue } from '../scheduling/fair-queue.js'
import type { NodeChannels } from './channels.js'
import type { OptionsOf } from './hub.js'

/** Publications of the server API in flight to Redis, which handles each within microseconds. */
const publishing = { maxInFlight: 512, maxPerCaller: 128, maxSliceMs: 4 }

/** Makes the limits of the server API's callers. */
export function wireApiLimits(rates: Rates, onLimited: () => void): ApiLimits {
  return new ApiLimits({ rates, publishing: new FairQueue(publishing), onLimited })
}

export interface ServerApiWiring {
  config: Config
  counts: Counts
  channels: NodeChannels
  broker: Broker
  reads: BulkReads
  tokens: Tokens
  optionsOf: OptionsOf
}

/** Registers `/api/*`. Needs the gate. */
export async function registerServerApi(
  app: FastifyInstance,
  { config, counts, channels, broker, reads, tokens, optionsOf }: ServerApiWiring,
): Promise<void> {
  const rates = {
    commandsPerSecond: config.API_COMMANDS_PER_SECOND,
    bytesPerSecond: config.API_BYTES_PER_SECOND,
    burstSeconds: config.RATE_BURST_SECONDS,
  }
  await app.register(async (api) => {
    serverApi(api, {
      ...channels,
      publish: (channel, publication, caller, options) =>
        channels.publish(channel, publication, tokens.permit(caller), options),
      optionsOf,
      nodes: {
        order: (order, caller) => broker.control.order(order, tokens.permit(caller)),
        info: () => broker.control.info(),
        countClients: (names) => broker.control.counts(names),
        removeHistory: (channel, caller) =>
          broker.streams.removeHistory(channel, tokens.permit(caller)),
      },
      channelNames: (pattern, reader) => reads.channelNames(pattern, reader),
      limits: wireApiLimits(rates, () => {
        counts.limited.requests += 1
      }),
    })
  })
}
