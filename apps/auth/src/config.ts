import {
  ConfigError,
  type Environment,
  internalSettings,
  loadConfig,
  tlsSettings,
} from '@portcullis/service'
import { type Static, Type } from '@sinclair/typebox'

const milliseconds = (value: number, description: string) =>
  Type.Integer({ default: value, minimum: 1, maximum: 600_000, description })

/** Settings of auth, each an environment variable; README's table is made from this. */
export const configSchema = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'address to listen on' }),
  PORT: Type.Integer({
    default: 4000,
    minimum: 0,
    maximum: 65_535,
    description: 'port to listen on; 0 takes a free one',
  }),
  ...internalSettings,
  ...tlsSettings,
  LOG_LEVEL: Type.Union(
    [
      Type.Literal('fatal'),
      Type.Literal('error'),
      Type.Literal('warn'),
      Type.Literal('info'),
      Type.Literal('debug'),
      Type.Literal('trace'),
      Type.Literal('silent'),
    ],
    { default: 'info', description: 'least important log lines to write' },
  ),
  REDIS_URL: Type.String({
    default: 'redis://127.0.0.1:6379',
    description:
      'Redis of the registry: redis://, rediss:// or unix://; redis+sentinel://host:port,host:port/name-of-the-master; redis+cluster://host:port,host:port; rediss+… for TLS',
  }),
  REDIS_PREFIX: Type.String({
    default: 'portcullis',
    pattern: '^[A-Za-z0-9._:-]{1,64}$',
    description: 'first part of every key, for several installations on one Redis',
  }),
  PARTITIONS: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 16_384,
    description:
      'partitions of the registry, fixed when it is created; 16 or more on a Redis Cluster, several for each master that it may ever have',
  }),
  ISSUER: Type.String({
    default: 'http://127.0.0.1:4000',
    pattern: '^https?://[^?#]+$',
    description: 'URL of this service as clients know it: `iss` of every token',
  }),
  AUDIENCE: Type.String({
    default: 'portcullis',
    minLength: 1,
    maxLength: 255,
    description: '`aud` of every token',
  }),
  TOKEN_TTL_SECONDS: Type.Integer({
    default: 3600,
    minimum: 1,
    maximum: 2_592_000,
    description: 'lifetime of tokens of an identity that has none of its own, in seconds',
  }),
  MAX_TOKENS_PER_IDENTITY: Type.Integer({
    default: 100_000,
    minimum: 1,
    maximum: 1_000_000_000,
    description:
      'tokens of one identity, those of its users included, that may live at a time; about 1 kB of Redis memory each',
  }),
  KEY_ENCRYPTION_SECRET: Type.Optional(
    Type.String({
      minLength: 32,
      description: 'encrypts the signing keys in Redis; 32 characters or more',
    }),
  ),
  KEY_ENCRYPTION_SECRET_PREVIOUS: Type.Optional(
    Type.String({
      minLength: 32,
      description:
        'the secret before, while KEY_ENCRYPTION_SECRET changes; keys that it opens are encrypted anew at the start',
    }),
  ),
  KEY_ROTATION_DAYS: Type.Integer({
    default: 90,
    minimum: 0,
    maximum: 3650,
    description:
      'days that a signing key signs until the next takes over, without any token or verifier noticing; 0: only by POST /v1/keys/rotate',
  }),
  SIGNING_ALGORITHM: Type.Union([Type.Literal('EdDSA'), Type.Literal('ES256')], {
    default: 'EdDSA',
    description:
      'what new signing keys are for: EdDSA (Ed25519), or ES256 for verifiers that know no other; the next key is of that kind, the others go on',
  }),
  ADMIN_IDENTITY: Type.String({
    default: 'admin',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._@/:-]{0,127}$',
    description: "the administrator's identity",
  }),
  ADMIN_REGISTRATION_CODE: Type.Optional(
    Type.String({
      minLength: 32,
      maxLength: 256,
      description:
        'a registration code that the administrator has from the start; random, 32 characters or more',
    }),
  ),
  ADMIN_CODE_FILE: Type.String({
    default: 'portcullis-admin.json',
    description:
      'where the first start writes the administrator that it makes, when ADMIN_REGISTRATION_CODE is not set',
  }),
  FEED_MAX_LENGTH: Type.Integer({
    default: 100_000,
    minimum: 1,
    maximum: 1_000_000_000,
    description: 'revocations that the feed of a partition keeps for nodes that come back',
  }),
  FEED_HELLO_MS: milliseconds(5000, 'how long a node may take to say hello, in milliseconds'),
  FEED_PING_INTERVAL_MS: milliseconds(
    10_000,
    'how often a node on the feed is pinged; one that answers none in between is cut off',
  ),
  LEASE_MS: Type.Integer({
    default: 10_000,
    minimum: 500,
    maximum: 600_000,
    description:
      'how long a receipt may wait for a node that is gone, in milliseconds; nodes hold their connections when they cannot reach auth for two thirds of it; a fifth is how long a node may take to acknowledge while revocations never end',
  }),
  RECEIPT_TTL_SECONDS: Type.Integer({
    default: 604_800,
    minimum: 1,
    maximum: 1_000_000_000,
    description: 'how long receipts are kept, in seconds',
  }),
  REVOCATION_REPLICAS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 16,
    description:
      'Redis replicas that have to have a revocation before it is answered, unless the request says how many; the receipt tells how many have it',
  }),
  AUDIT_RETENTION_DAYS: Type.Integer({
    default: 90,
    minimum: 1,
    maximum: 3650,
    description: 'how long entries of the audit log are kept, in days',
  }),
  AUDIT_MAX_LENGTH: Type.Integer({
    default: 100_000,
    minimum: 1,
    maximum: 1_000_000_000,
    description:
      'entries of the audit log that are kept, of each kind (acts; issued tokens; refusals), spread over the partitions',
  }),
  CLOSE_DEADLINE_MS: milliseconds(5000, 'how long closing may take, in milliseconds'),
  TRUST_PROXY: Type.Optional(
    Type.String({
      description:
        'addresses or networks of reverse proxies, comma separated, whose X-Forwarded-* count; none by default',
    }),
  ),
  TOKEN_FAILURES_PER_MINUTE: Type.Integer({
    default: 300,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'failed client authentications in a minute after which further failures of an address are told to wait; what is right is never refused',
  }),
  WRONG_CODES_ALLOWED: Type.Integer({
    default: 5,
    minimum: 1,
    maximum: 1000,
    description:
      'wrong registration codes for one identity from one address after which further wrong ones are told to wait; a right one is never refused',
  }),
  WRONG_CODE_WAIT_MS: milliseconds(
    1000,
    'the first such wait, in milliseconds; each further wrong code doubles it',
  ),
  WRONG_CODE_MAX_WAIT_MS: milliseconds(60_000, 'the longest such wait, in milliseconds'),
  ADDRESS_REQUESTS_PER_MINUTE: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 100_000_000,
    description:
      'units of work that one address may ask of /oauth and /v1 in a minute, at all instances together: a request is one or more (docs/security.md); 0 for no limit',
  }),
  IDENTITY_REQUESTS_PER_MINUTE: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 100_000_000,
    description:
      'units of work that one identity may ask for in a minute, with its code or its tokens, at all instances together: a request is one or more (docs/security.md); 0 for no limit',
  }),
  EVENT_HTTP_HOSTS: Type.Optional(
    Type.String({
      description:
        'names of hosts, comma separated, that security events may be pushed to over http: as well; this machine always may',
    }),
  ),
  EVENT_TIMEOUT_MS: milliseconds(
    10_000,
    'how long a receiver may take to answer a security event, in milliseconds',
  ),
  EVENT_RETRY_MS: milliseconds(
    1000,
    'the first wait before a security event is pushed again, in milliseconds; each is twice as long as the one before, up to five minutes',
  ),
  EVENT_MAX_AGE_SECONDS: Type.Integer({
    default: 86_400,
    minimum: 0,
    maximum: 2_592_000,
    description:
      'how long a security event is pushed again and again before it is given up, in seconds',
  }),
  EVENT_QUEUE_LENGTH: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'security events that may wait for one receiver; beyond it the oldest are dropped',
  }),
  EVENT_POLL_WAIT_MS: milliseconds(
    30_000,
    'how long a poll for security events waits when there are none, in milliseconds',
  ),
})
export type Config = Static<typeof configSchema>

/**
 * A right code is never refused, however many wrong ones came before: what people choose must not be
 * what anyone would try. Of 32 random hexadecimal digits one in thirty million has fewer.
 */
const minDifferentCharacters = 8

/** @throws ConfigError naming every setting that is missing or wrong */
export function config(environment: Environment): Config {
  const settings = loadConfig(configSchema, environment)
  const { ADMIN_REGISTRATION_CODE: code } = settings
  if (code !== undefined && new Set(code).size < minDifferentCharacters) {
    throw new ConfigError([
      `ADMIN_REGISTRATION_CODE must have ${minDifferentCharacters} different characters or more; a random one: openssl rand -base64 33`,
    ])
  }
  return settings
}
