import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { ChannelName } from '@portcullis/contracts/names'
import {
  ConfigError,
  type Environment,
  internalSettings,
  loadConfig,
  tlsSettings,
} from '@portcullis/service'
import { type Static, Type } from '@sinclair/typebox'
import { type Endpoints, readEndpoints } from '../handlers/endpoints.js'
import { type Namespaces, readNamespaces } from '../hub/namespaces.js'

const origin = '[a-z][a-z0-9+.-]*://[^,/?#\\s]+'

const channel = ChannelName.pattern?.slice(1, -1)

/** Every setting of a realtime node, as environment variables; each may come from a file named by `NAME_FILE`. */
export const configSchema = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'address to listen on' }),
  PORT: Type.Integer({
    default: 8000,
    minimum: 0,
    maximum: 65_535,
    description: 'port to listen on',
  }),
  ...internalSettings,
  ...tlsSettings,
  LOG_LEVEL: Type.Union(
    (['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const).map((level) =>
      Type.Literal(level),
    ),
    { default: 'info', description: 'the least important log lines to write' },
  ),
  REDIS_URL: Type.String({
    default: 'redis://127.0.0.1:6379',
    description:
      'Redis 7 that connects the nodes: redis://, rediss:// or unix://; redis+sentinel://host:port,host:port/<name of the master>; redis+cluster://host:port,host:port (rediss+… with TLS)',
  }),
  REDIS_PREFIX: Type.String({
    default: 'portcullis',
    pattern: '^[A-Za-z0-9._:-]{1,64}$',
    description: 'first part of every Redis key and channel name',
  }),
  PARTITIONS: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1024,
      description:
        'parts into which channels are spread over the masters of a Redis Cluster, the same on all nodes and fixed by the first; 1 when not set, and 64 on a Cluster',
    }),
  ),
  AUTH_URL: Type.String({
    default: 'http://127.0.0.1:4000',
    pattern: '^https?://',
    description: 'where auth is',
  }),
  AUTH_CA: Type.Optional(
    Type.String({
      description:
        "certificates, in PEM, one of which must have signed auth's; those that Node trusts when not set. AUTH_URL must be https://",
    }),
  ),
  AUTH_CERT: Type.Optional(
    Type.String({ description: 'certificate, in PEM, that this node shows to auth' }),
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
      description:
        'name of this node, unique in the installation; made of the host name and PORT when not set',
    }),
  ),
  PUBLIC_URL: Type.Optional(
    Type.String({
      maxLength: 256,
      description: 'where clients reach this node, for people to see',
    }),
  ),
  ALLOWED_ORIGINS: Type.String({
    default: '',
    pattern: `^(?:${origin}(?:\\s*,\\s*${origin})*)?$`,
    description:
      'origins that browsers may connect from, exact, separated by commas; others are refused, all of them when empty. Requests without an Origin header (not from browsers) are not concerned',
  }),
  PING_INTERVAL_MS: Type.Integer({
    default: 25_000,
    minimum: 100,
    maximum: 3_600_000,
    description: 'milliseconds between two pings to a client',
  }),
  PONG_TIMEOUT_MS: Type.Integer({
    default: 8000,
    minimum: 50,
    description: 'milliseconds that a client has to answer a ping; less than the interval',
  }),
  TOKEN_IN_QUERY: Type.Boolean({
    default: false,
    description: 'also take a token from ?access_token=, where proxies log it',
  }),
  ADMISSION: Type.Union([Type.Literal('upgrade'), Type.Literal('connect')], {
    default: 'upgrade',
    description:
      'upgrade: a token comes with the upgrade or there is no socket. connect: it may also come in the first command, for clients that can send none before',
  }),
  MAX_UNAUTHENTICATED: Type.Integer({
    default: 1000,
    minimum: 1,
    description: 'sockets without a token at the same time, under ADMISSION=connect',
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
      'milliseconds that connections are held after this node could not reach auth for a lease; then they are closed with 4000',
  }),
  CLOSE_DEADLINE_MS: Type.Integer({
    default: 5000,
    minimum: 100,
    description:
      'milliseconds for closing all connections when the process is asked to end; they are spread over half of it',
  }),
  MAX_FRAME_BYTES: Type.Integer({
    default: 65_536,
    minimum: 1024,
    maximum: 16_777_216,
    description: 'the largest message that a client may send',
  }),
  MAX_CHANNELS: Type.Integer({
    default: 128,
    minimum: 1,
    maximum: 10_000,
    description: 'channels that one connection may be subscribed to',
  }),
  MAX_HISTORY_PUBLICATIONS: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 10_000,
    description:
      'publications that one answer gives of a history; clients ask on with since, and who has missed more recovers nothing',
  }),
  MAX_ANSWER_BYTES: Type.Optional(
    Type.Integer({
      minimum: 1024,
      maximum: 16_777_216,
      description:
        'bytes of a history, or of those who are present, that one answer gives; likewise, and presence beyond is answered 106. At most SEND_BUFFER_BYTES, and half of it when not set',
    }),
  ),
  COMMANDS_PER_SECOND: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'commands that one connection may send in a second; those beyond are answered 111, and who sends twice as many is closed with 3013',
  }),
  BYTES_PER_SECOND: Type.Integer({
    default: 1_048_576,
    minimum: 1024,
    maximum: 1_073_741_824,
    description:
      'bytes of messages that one connection may send in a second; likewise. Counted apart, bytes of histories and presence that it may read',
  }),
  API_COMMANDS_PER_SECOND: Type.Integer({
    default: 5000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'commands that one identity may send to the server API of this node in a second, with all its tokens; each command of a batch and each channel of a broadcast is one. Beyond: 429, in a batch 111',
  }),
  API_BYTES_PER_SECOND: Type.Integer({
    default: 33_554_432,
    minimum: 1024,
    maximum: 1_073_741_824,
    description:
      'bytes that one identity may publish by the server API of this node in a second, a broadcast for each channel; and, counted apart, bytes of answers. Likewise',
  }),
  RATE_BURST_SECONDS: Type.Integer({
    default: 5,
    minimum: 1,
    maximum: 3600,
    description: 'what these many seconds allow, of commands and bytes, may be sent at once',
  }),
  NAMESPACES: Type.String({
    default: '{}',
    description:
      'channel options as JSON, by the part of a name before its first colon ("": names without one): {"chat":{"historySize":100,"historyTtlSeconds":300,"recovery":true,"presence":true,"joinLeave":true,"delta":true,"tagsFilter":true,"clientPublish":true}}',
  }),
  HANDLERS: Type.String({
    default: '{}',
    description:
      'URLs of the application\'s own handlers as JSON; for rpc by method, or by what comes before a method\'s first colon, or "" for all others: {"rpc":{"":"http://…","billing":"http://…","billing:refund":"http://…"},"send":"http://…","connect":"http://…"}',
  }),
  HANDLER_SECRET: Type.Optional(
    Type.String({
      minLength: 32,
      maxLength: 512,
      pattern: '^[!-~]*$',
      description:
        'sent to handlers as Authorization: Bearer, so that they know who asks; random, 32 characters or more',
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
    description: 'calls to handlers under way at the same time; clients are told to try later',
  }),
  HANDLER_ANSWER_BYTES: Type.Integer({
    default: 65_536,
    minimum: 1024,
    maximum: 16_777_216,
    description: "the largest answer of a handler's that is taken",
  }),
  SERVER_SUBSCRIPTIONS: Type.String({
    default: '',
    pattern: `^ *(?:${channel}(?: +${channel})*)? *$`,
    description:
      "channels that a client is put into as it connects, as far as its token permits them, separated by spaces; {sub} stands for the token's subject: user:{sub} news",
  }),
  MAX_CONNECTIONS: Type.Integer({
    default: 100_000,
    minimum: 1,
    description: 'connections on this node; more are refused with 503',
  }),
  MAX_CONNECTIONS_PER_USER: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description:
        'connections on this node of one user (a subject of an identity); those beyond are closed with 3504, and stay away. Not limited when not set',
    }),
  ),
  REFUSALS_PER_MINUTE: Type.Integer({
    default: 1000,
    minimum: 10,
    maximum: 1_000_000,
    description:
      'upgrades and requests from one address that may be refused for their token or origin (401, 403) in a minute; beyond, tokens that auth has lately called active pass, and auth is asked about few others at a time. A tenth of it for one and the same token, which gets 429',
  }),
  TRUST_PROXY: Type.Optional(
    Type.String({
      description:
        'addresses or networks of reverse proxies, comma separated, whose X-Forwarded-* count; none by default, so that behind a proxy all clients have one address',
    }),
  ),
  MAX_ADMISSIONS: Type.Integer({
    default: 1000,
    minimum: 1,
    description: 'upgrades that may wait for auth at the same time; more are refused with 503',
  }),
  SEND_BUFFER_BYTES: Type.Integer({
    default: 1_048_576,
    minimum: 65_536,
    description: 'bytes that may wait for one slow reader before it is closed',
  }),
})

export type Config = Omit<
  Static<typeof configSchema>,
  | 'NODE_NAME'
  | 'MAX_ANSWER_BYTES'
  | 'ALLOWED_ORIGINS'
  | 'NAMESPACES'
  | 'HANDLERS'
  | 'SERVER_SUBSCRIPTIONS'
> & {
  NODE_NAME: string
  MAX_ANSWER_BYTES: number
  ALLOWED_ORIGINS: readonly string[]
  NAMESPACES: Namespaces
  HANDLERS: Endpoints
  SERVER_SUBSCRIPTIONS: readonly string[]
}

/** Reads the settings. @throws ConfigError naming each one that is missing or wrong */
export function config(environment: Environment): Config {
  const { NODE_NAME, ALLOWED_ORIGINS, NAMESPACES, HANDLERS, SERVER_SUBSCRIPTIONS, ...rest } =
    loadConfig(configSchema, environment)
  if (rest.PONG_TIMEOUT_MS >= rest.PING_INTERVAL_MS) {
    throw new ConfigError(['PONG_TIMEOUT_MS must be less than PING_INTERVAL_MS'])
  }
  // A client that comes back subscribes to all of its channels at once.
  if (rest.COMMANDS_PER_SECOND * rest.RATE_BURST_SECONDS <= rest.MAX_CHANNELS) {
    throw new ConfigError([
      'COMMANDS_PER_SECOND times RATE_BURST_SECONDS must be more than MAX_CHANNELS',
    ])
  }
  const maxAnswerBytes = rest.MAX_ANSWER_BYTES ?? Math.floor(rest.SEND_BUFFER_BYTES / 2)
  if (maxAnswerBytes > rest.SEND_BUFFER_BYTES) {
    throw new ConfigError(['MAX_ANSWER_BYTES must not be more than SEND_BUFFER_BYTES'])
  }
  const namespaces = readNamespaces(NAMESPACES)
  if (typeof namespaces === 'string') {
    throw new ConfigError([`NAMESPACES ${namespaces}`])
  }
  const handlers = readEndpoints(HANDLERS)
  if (typeof handlers === 'string') {
    throw new ConfigError([`HANDLERS ${handlers}`])
  }
  const channels = SERVER_SUBSCRIPTIONS.split(' ').filter((each) => each !== '')
  if (channels.length > rest.MAX_CHANNELS) {
    throw new ConfigError(['SERVER_SUBSCRIPTIONS has more channels than MAX_CHANNELS'])
  }
  return {
    ...rest,
    MAX_ANSWER_BYTES: maxAnswerBytes,
    NAMESPACES: namespaces,
    HANDLERS: handlers,
    SERVER_SUBSCRIPTIONS: channels,
    NODE_NAME: NODE_NAME ?? defaultNodeName(rest.PORT),
    ALLOWED_ORIGINS: ALLOWED_ORIGINS.split(',')
      .map((each) => each.trim())
      .filter((each) => each !== ''),
  }
}

/**
 * Returns a name that no other node has: containers of one image share the port, not the host's name.
 * Where the host's name is every host's, the name is another with each start.
 */
export function defaultNodeName(port: number, host = hostname()): string {
  const saysNothing = /^(localhost(\..*)?)?$/i.test(host)
  const part = saysNothing ? randomBytes(4).toString('hex') : host.replace(/[^A-Za-z0-9._-]/g, '-')
  return `realtime-${part.slice(0, 100)}-${port}`
}
