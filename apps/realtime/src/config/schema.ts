import { channelNamePattern } from '@portcullis/contracts/names'
import {
  internalSettings,
  shutdownSettings,
  tlsSettings,
  workersSetting,
} from '@portcullis/service'
import { Type } from '@sinclair/typebox'

const origin = '[A-Za-z][A-Za-z0-9+.-]*://[^,/?#@\\s]+'

const channel = channelNamePattern.source.slice(1, -1)

/** The bytes of a `subscribe` with the longest channel, and with its token for the longest names. */
export const bytesPerSubscription = 2048

/**
 * All settings of a realtime node, as environment variables; each may come from a file named by
 * `NAME_FILE`.
 */
export const configSchema = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'address to listen on' }),
  PORT: Type.Integer({
    default: 8000,
    minimum: 0,
    maximum: 65_535,
    description: 'port to listen on',
  }),
  ...workersSetting,
  ...internalSettings,
  ...tlsSettings,
  LOG_LEVEL: Type.Union(
    (['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const).map((level) =>
      Type.Literal(level),
    ),
    { default: 'info', description: 'lowest level of log lines to write' },
  ),
  REDIS_URL: Type.String({
    default: 'redis://127.0.0.1:6379',
    description:
      'Redis 7 that connects the nodes: redis://, rediss:// or unix://; redis+sentinel://host:port,host:port/<name of the master>; redis+cluster://host:port,host:port (rediss+… with TLS)',
  }),
  REDIS_PREFIX: Type.String({
    default: 'portcullis',
    pattern: '^[A-Za-z0-9._:-]{1,64}$',
    form: '1 to 64 letters, digits or . _ : -',
    description: 'first part of every Redis key and channel name',
  }),
  PARTITIONS: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1024,
      description:
        'number of partitions that spread channels over the masters of a Redis Cluster, the same on all nodes and fixed by the first; default 1, or 64 on a Cluster',
    }),
  ),
  AUTH_URL: Type.String({
    default: 'http://127.0.0.1:4000',
    pattern: '^https?://',
    form: 'an http: or https: URL, as in https://auth.example.com',
    description: 'URL of auth',
  }),
  AUTH_CA: Type.Optional(
    Type.String({
      description:
        "certificates, in PEM, one of which must have signed auth's; default: those that Node trusts. AUTH_URL must be https://",
    }),
  ),
  AUTH_CERT: Type.Optional(
    Type.String({ description: 'certificate, in PEM, that this node presents to auth' }),
  ),
  AUTH_KEY: Type.Optional(Type.String({ description: "that certificate's private key, in PEM" })),
  IDENTITY: Type.String({
    default: 'realtime',
    description: 'identity of this node, with the scopes introspect and feed',
  }),
  REGISTRATION_CODE: Type.String({
    minLength: 1,
    description: "that identity's registration code",
  }),
  NODE_NAME: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
      form: '1 to 128 letters, digits or . _ : -, beginning with a letter or digit',
      description:
        'name of this node, unique in the installation; default: host name, PORT and random characters, new at each start. With WORKERS above 1 each worker is a node, whose name ends in its number: name-1, name-2',
    }),
  ),
  PUBLIC_URL: Type.Optional(
    Type.String({
      maxLength: 256,
      description: 'URL of this node for clients, shown to people',
    }),
  ),
  ALLOWED_ORIGINS: Type.String({
    default: '',
    pattern: `^(?:${origin}(?:\\s*,\\s*${origin})*)?$`,
    form: 'origins separated by commas, each a scheme, a host and at most a port, without a path: https://app.example.com',
    description:
      'origins that browsers may connect from, exact, separated by commas; others are refused, all of them when empty. Requests without an Origin header (not from browsers) are unaffected',
  }),
  PING_INTERVAL_MS: Type.Integer({
    default: 25_000,
    minimum: 100,
    maximum: 3_600_000,
    description: 'milliseconds between pings to a client',
  }),
  PONG_TIMEOUT_MS: Type.Integer({
    default: 8000,
    minimum: 50,
    description: 'milliseconds that a client has to answer a ping; less than PING_INTERVAL_MS',
  }),
  TOKEN_IN_QUERY: Type.Boolean({
    default: false,
    description: 'also accept a token in ?access_token=, where proxies log it',
  }),
  ADMISSION: Type.Union([Type.Literal('upgrade'), Type.Literal('connect')], {
    default: 'upgrade',
    description:
      'upgrade: each upgrade must bring a token. connect: the token may also come in the first command, for clients that cannot send it earlier',
  }),
  FALLBACK_TRANSPORTS: Type.String({
    default: 'http_stream',
    pattern: '^(?:none|(?:http_stream|sse)(?: *, *(?:http_stream|sse))*)$',
    form: 'none, http_stream, sse, or http_stream,sse',
    description:
      'ways in beside WebSockets, for clients whose network blocks these: http_stream, sse, or both, separated by a comma; or none. With sse the token is in the address, where proxies log it',
  }),
  MAX_UNAUTHENTICATED: Type.Integer({
    default: 1000,
    minimum: 1,
    description:
      'maximum number of sockets without a token, under ADMISSION=connect, and of streams (FALLBACK_TRANSPORTS) whose token auth is asked about; all WORKERS together',
  }),
  CONNECT_DEADLINE_MS: Type.Integer({
    default: 10_000,
    minimum: 50,
    description: 'milliseconds from the upgrade to the connect command',
  }),
  LEASE_GRACE_MS: Type.Integer({
    default: 10_000,
    minimum: 100,
    maximum: 600_000,
    description:
      'milliseconds that connections are held after this node lost its lease; then they are closed with 4000',
  }),
  CLOSE_DEADLINE_MS: Type.Integer({
    default: 5000,
    minimum: 100,
    description:
      'milliseconds for closing all connections when the process is stopped; the closes are spread over half of it',
  }),
  ...shutdownSettings,
  MAX_FRAME_BYTES: Type.Optional(
    Type.Integer({
      minimum: 1024,
      maximum: 33_554_432,
      description: `maximum size of a message from a client. Not less than ${bytesPerSubscription} times MAX_CHANNELS, the default: a client that reconnects subscribes to all its channels in one message, each with a token if it needs one`,
    }),
  ),
  MAX_CHANNELS: Type.Integer({
    default: 128,
    minimum: 1,
    maximum: 10_000,
    description: 'maximum number of subscriptions of one connection',
  }),
  MAX_HISTORY_PUBLICATIONS: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 10_000,
    description:
      'maximum number of publications in one history reply; clients continue with since, and a client that missed more recovers nothing',
  }),
  MAX_ANSWER_BYTES: Type.Optional(
    Type.Integer({
      minimum: 1024,
      maximum: 16_777_216,
      description:
        'maximum bytes of a history or of presence in one reply; a longer history is cut likewise, longer presence gets error 106. At most SEND_BUFFER_BYTES; default: half of it',
    }),
  ),
  COMMANDS_PER_SECOND: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'commands that one connection may send per second; further commands get error 111, and a client that sends twice as many is closed with 3013',
  }),
  BYTES_PER_SECOND: Type.Integer({
    default: 1_048_576,
    minimum: 1024,
    maximum: 1_073_741_824,
    description:
      'bytes of messages that one connection may send per second, with the same consequences; and, counted separately, bytes of histories and presence that it may read',
  }),
  API_COMMANDS_PER_SECOND: Type.Integer({
    default: 5000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'commands that one identity may send per second to the server API of this node, or to each of its WORKERS, with all its tokens; each command of a batch and each channel of a broadcast counts. Further requests get 429, further commands of a batch error 111',
  }),
  API_BYTES_PER_SECOND: Type.Integer({
    default: 33_554_432,
    minimum: 1024,
    maximum: 1_073_741_824,
    description:
      'bytes that one identity may publish per second through the server API of this node, or of each of its WORKERS, a broadcast for each channel; and, counted separately, bytes of replies. Same consequences',
  }),
  RATE_BURST_SECONDS: Type.Integer({
    default: 5,
    minimum: 1,
    maximum: 3600,
    description: 'commands and bytes for this many seconds may be sent at once',
  }),
  NAMESPACES: Type.String({
    default: '{}',
    description:
      'channel options as JSON, by namespace, the part of a name before its first colon ("": names without one): {"chat":{"historySize":100,"historyTtlSeconds":300,"recovery":true,"presence":true,"joinLeave":true,"forcePushJoinLeave":true,"delta":true,"tagsFilter":true,"clientPublish":true}}',
  }),
  NAMESPACES_STRICT: Type.Boolean({
    default: false,
    description:
      'refuse channels of namespaces that NAMESPACES does not list, with error 102; channels without a namespace are accepted',
  }),
  HANDLERS: Type.String({
    default: '{}',
    description:
      'URLs of the application\'s own handlers as JSON; for rpc by method, or by the part before a method\'s first colon, or "" for all others: {"rpc":{"":"http://…","billing":"http://…","billing:refund":"http://…"},"send":"http://…","connect":"http://…"}; for subscribe, publish and sub_refresh by channel in the same way: {"subscribe":{"chat":"http://…"}}; events: the URL that is told when clients connect, subscribe, unsubscribe, are revoked and disconnect',
  }),
  HANDLER_SECRET: Type.Optional(
    Type.String({
      minLength: 32,
      maxLength: 512,
      pattern: '^[!-~]*$',
      form: 'visible ASCII characters',
      description:
        'sent to handlers as Authorization: Bearer, so that they can verify the caller; random, 32 characters or more',
    }),
  ),
  HANDLER_TIMEOUT_MS: Type.Integer({
    default: 2000,
    minimum: 50,
    maximum: 60_000,
    description: 'milliseconds that a handler has for its whole answer',
  }),
  HANDLER_CALLS: Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 10_000,
    description:
      'maximum number of concurrent calls to handlers, all WORKERS together; further calls get error 111',
  }),
  HANDLER_ANSWER_BYTES: Type.Integer({
    default: 65_536,
    minimum: 1024,
    maximum: 16_777_216,
    description: 'maximum size of an answer of a handler',
  }),
  MAX_WAITING_EVENTS: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      "maximum number of events that wait for the application's backend (HANDLERS, events) on this node, or on each of its WORKERS; beyond that the oldest are dropped and counted",
  }),
  SERVER_SUBSCRIPTIONS: Type.String({
    default: '',
    pattern: `^ *(?:${channel}(?: +${channel})*)? *$`,
    form: 'channel names separated by spaces, each of 1 to 255 visible ASCII characters except " \\ and *',
    description:
      "channels that a client is subscribed to when it connects, if its token permits them, separated by spaces; {sub} stands for the token's subject: user:{sub} news",
  }),
  MAX_CONNECTIONS: Type.Integer({
    default: 100_000,
    minimum: 1,
    description:
      'maximum number of connections on this node, all WORKERS together; further upgrades get 503',
  }),
  MAX_CONNECTIONS_PER_USER: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description:
        'maximum number of connections of one user (a subject of an identity) on this node, or on each of its WORKERS; further connections are closed with 3504, after which clients do not reconnect. Default: no limit',
    }),
  ),
  REFUSALS_PER_MINUTE: Type.Integer({
    default: 1000,
    minimum: 10,
    maximum: 1_000_000,
    description:
      'upgrades and requests from one address that may be refused for their token or origin (401, 403) per minute, by all WORKERS together; beyond that, tokens that were active lately pass, and few other tokens are introspected at a time. One token may be refused a tenth as often, then it gets 429',
  }),
  TRUST_PROXY: Type.Optional(
    Type.String({
      description:
        'addresses or networks of reverse proxies, comma separated, whose X-Forwarded-* headers are trusted; default: none, so that behind a proxy all clients have one address',
    }),
  ),
  MAX_ADMISSIONS: Type.Integer({
    default: 1000,
    minimum: 1,
    description:
      'maximum number of upgrades that ask auth at the same time, all WORKERS together; further upgrades wait for their turn, 10 s and 16 times as many at most, then they get 503',
  }),
  SEND_BUFFER_BYTES: Type.Integer({
    default: 1_048_576,
    minimum: 65_536,
    description: 'maximum bytes that wait for one slow client; then it is closed with 3008',
  }),
})
