import type { Family } from '@portcullis/service'

const connectionFamilies = {
  connections: {
    name: 'portcullis_realtime_connections',
    type: 'gauge',
    help: 'Open connections',
  },
  unauthenticated: {
    name: 'portcullis_realtime_unauthenticated',
    type: 'gauge',
    help: 'Open sockets that have not presented a token yet',
  },
  streams: {
    name: 'portcullis_realtime_streams',
    type: 'gauge',
    help: 'Open HTTP streams by transport',
    labels: { transport: '`http_stream` or `sse`' },
  },
  subscriptions: {
    name: 'portcullis_realtime_subscriptions',
    type: 'gauge',
    help: 'Subscriptions',
  },
  channels: {
    name: 'portcullis_realtime_channels',
    type: 'gauge',
    help: 'Channels with a subscriber',
  },
  disconnects: {
    name: 'portcullis_realtime_disconnects_total',
    type: 'counter',
    help: 'Closed connections by close code; 3008 is a client that reads too slowly, 4500 a revoked token',
    labels: {
      code: 'a close code (PROTOCOL.md, and codes that callers of the server API chose); `other` after 100 different codes',
    },
  },
} as const satisfies Record<string, Family>

const trafficFamilies = {
  receivedBytes: {
    name: 'portcullis_realtime_received_bytes_total',
    type: 'counter',
    help: 'Bytes of messages from clients',
  },
  sentBytes: {
    name: 'portcullis_realtime_sent_bytes_total',
    type: 'counter',
    help: 'Bytes of frames to clients',
  },
  commands: {
    name: 'portcullis_realtime_commands_total',
    type: 'counter',
    help: 'Commands from clients by method',
    labels: { method: 'the methods of the protocol, `pong`, and `malformed` for an invalid body' },
  },
} as const satisfies Record<string, Family>

const messageFamilies = {
  published: {
    name: 'portcullis_realtime_published_total',
    type: 'counter',
    help: 'Publications that entered on this node',
  },
  received: {
    name: 'portcullis_realtime_received_total',
    type: 'counter',
    help: 'Publications received from Redis',
  },
  deliveries: {
    name: 'portcullis_realtime_deliveries_total',
    type: 'counter',
    help: 'Frames sent to subscribers',
  },
  deliveryDuration: {
    name: 'portcullis_realtime_delivery_duration_seconds',
    type: 'histogram',
    help: "Time from a publication's entry on this node, through Redis, to the sockets of this node's own subscribers; a sample of at most 20 publications in a second",
  },
  redisDuration: {
    name: 'portcullis_realtime_redis_command_duration_seconds',
    type: 'histogram',
    help: 'Time from sending a command to Redis until its reply; a sample of at most 20 commands in a second',
  },
  streamsLost: {
    name: 'portcullis_realtime_streams_lost_total',
    type: 'counter',
    help: 'Times that the subscribers of a channel had to subscribe again because history lacked missed publications',
  },
  busGarbage: {
    name: 'portcullis_realtime_bus_garbage_total',
    type: 'counter',
    help: 'Malformed messages from Redis',
  },
} as const satisfies Record<string, Family>

const backendFamilies = {
  handlerCalls: {
    name: 'portcullis_realtime_handler_calls',
    type: 'gauge',
    help: "Calls to the application's handlers in flight",
  },
  handlerCallsDone: {
    name: 'portcullis_realtime_handler_calls_total',
    type: 'counter',
    help: "Calls to the application's handlers by result",
    labels: { result: '`answered`, `failed` or `refused` (too many in flight)' },
  },
  handlerDuration: {
    name: 'portcullis_realtime_handler_call_duration_seconds',
    type: 'histogram',
    help: "Duration of calls to the application's handlers",
    labels: { result: '`answered` or `failed`' },
  },
  eventsWaiting: {
    name: 'portcullis_realtime_events_waiting',
    type: 'gauge',
    help: "Events that wait for the application's backend; absent without a handler of events",
  },
  events: {
    name: 'portcullis_realtime_events_total',
    type: 'counter',
    help: "Events sent to the application's backend, and events lost because too many waited; absent without a handler of events",
    labels: { result: '`sent` or `lost`' },
  },
} as const satisfies Record<string, Family>

const feedFamilies = {
  leaseLeft: {
    name: 'portcullis_realtime_lease_left_seconds',
    type: 'gauge',
    help: 'Remaining time of the lease; 0 while connections are held',
    ofWorkers: 'min',
  },
  leasesLost: {
    name: 'portcullis_realtime_leases_lost_total',
    type: 'counter',
    help: 'Times that the lease was lost and every connection held',
  },
  feedPosition: {
    name: 'portcullis_realtime_feed_position',
    type: 'gauge',
    help: 'Revocations received from the feed, over all partitions',
    ofWorkers: 'min',
  },
  feedLag: {
    name: 'portcullis_realtime_feed_lag_seconds',
    type: 'gauge',
    help: 'Time from the commit of the last revocation to its application, by the clocks of both machines',
    ofWorkers: 'max',
  },
  feedReconnects: {
    name: 'portcullis_realtime_feed_reconnects_total',
    type: 'counter',
    help: 'Reconnects of the feed',
  },
  feedGarbage: {
    name: 'portcullis_realtime_feed_garbage_total',
    type: 'counter',
    help: 'Malformed feed messages',
  },
  resyncs: {
    name: 'portcullis_realtime_resyncs_total',
    type: 'counter',
    help: 'Times that every live token was introspected again',
  },
} as const satisfies Record<string, Family>

const admissionFamilies = {
  admissions: {
    name: 'portcullis_realtime_admissions_total',
    type: 'counter',
    help: 'Requests and upgrades by result',
    labels: {
      result:
        '`admitted`, `missing_token`, `invalid_request`, `invalid_token`, `insufficient_scope` or `auth_unavailable`',
    },
  },
  admissionDuration: {
    name: 'portcullis_realtime_admission_duration_seconds',
    type: 'histogram',
    help: "Time from the presentation of a token until auth's answer",
  },
  introspectionDuration: {
    name: 'portcullis_realtime_introspection_duration_seconds',
    type: 'histogram',
    help: 'Time of one request to auth, which introspects all tokens that were presented meanwhile',
  },
  introspected: {
    name: 'portcullis_realtime_introspected_tokens_total',
    type: 'counter',
    help: 'Tokens in the requests to auth',
  },
  grantsEnded: {
    name: 'portcullis_realtime_grants_ended_total',
    type: 'counter',
    help: 'Tokens that ended during use',
    labels: { reason: '`revoked` or `expired`' },
  },
  heldCallers: {
    name: 'portcullis_realtime_held_callers',
    type: 'gauge',
    help: 'Callers of the server API whose tokens are not introspected at each request',
  },
  heldCallersAdmitted: {
    name: 'portcullis_realtime_held_callers_admitted_total',
    type: 'counter',
    help: 'Requests admitted without an introspection of their token',
  },
  limited: {
    name: 'portcullis_realtime_limited_total',
    type: 'counter',
    help: 'Commands and requests that a limit refused',
    labels: {
      what: '`commands` (rate of a connection), `requests` (rate of an identity at the server API) or `refusals` (an address with too many)',
    },
  },
} as const satisfies Record<string, Family>

/** The metrics of a node, besides those of every service. */
export const families = {
  ...connectionFamilies,
  ...trafficFamilies,
  ...messageFamilies,
  ...backendFamilies,
  ...feedFamilies,
  ...admissionFamilies,
} as const satisfies Record<string, Family>
