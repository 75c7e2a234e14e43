import type { Config } from '../config/config.js'
import { version } from '../version.js'
import type { NodeSettings } from './node.js'

/** Returns the part of the configuration that concerns connections. */
export function nodeSettings(config: Config): NodeSettings {
  return {
    name: config.NODE_NAME,
    version: `Portcullis ${version}`,
    pingIntervalMs: config.PING_INTERVAL_MS,
    pongTimeoutMs: config.PONG_TIMEOUT_MS,
    connectDeadlineMs: config.CONNECT_DEADLINE_MS,
    leaseGraceMs: config.LEASE_GRACE_MS,
    limits: {
      commandsPerSecond: config.COMMANDS_PER_SECOND,
      bytesPerSecond: config.BYTES_PER_SECOND,
      burstSeconds: config.RATE_BURST_SECONDS,
      connectionsPerUser: config.MAX_CONNECTIONS_PER_USER,
      channelsPerConnection: config.MAX_CHANNELS,
      commandsPerMessage: config.MAX_CHANNELS + 128,
      commandsInFlight: Math.max(512, config.MAX_CHANNELS + 128),
      handlerCalls: 32,
      sendBufferBytes: config.SEND_BUFFER_BYTES,
      answerBytes: config.MAX_ANSWER_BYTES,
    },
  }
}
