import type { Command } from '@portcullis/protocol'

/** What clients have sent and received since the start of the node. */
export interface Traffic {
  /** Bytes of messages from clients. */
  receivedBytes: number
  /** Bytes of frames to clients, with their heads. */
  sentBytes: number
  /** Commands from clients by method; `malformed` for those with an invalid body. */
  readonly commands: Record<Command['method'], number>
}

export function newTraffic(): Traffic {
  return {
    receivedBytes: 0,
    sentBytes: 0,
    commands: {
      connect: 0,
      subscribe: 0,
      unsubscribe: 0,
      publish: 0,
      history: 0,
      presence: 0,
      presence_stats: 0,
      refresh: 0,
      sub_refresh: 0,
      rpc: 0,
      send: 0,
      pong: 0,
      malformed: 0,
    },
  }
}
