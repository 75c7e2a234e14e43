import {
  ConfigError,
  countWorkers,
  type Environment,
  internalSettings,
  loadConfig,
  shutdownSettings,
  tlsSettings,
  workersSetting,
} from '@portcullis/service'
import { type Static, Type } from '@sinclair/typebox'

const milliseconds = (value: number, description: string) =>
  Type.Integer({ default: value, minimum: 1, maximum: 600_000, description })

/** Settings of auth, each an environment variable. The table in the README is generated from this. */
export const configSchema = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'address to listen on' }),
  PORT: Type.Integer({
    default: 4000,
    minimum: 0,
    maximum: 65_535,
    description: 'port to listen on; 0 takes a free one',
  }),
  ...workersSetting,
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
    { default: 'info', description: 'lowest level of log lines to write' },
  ),
  REDIS_URL: Type.String({
    default: 'redis://127.0.0.1:6379',
    description:
      'Redis of the registry: redis://, rediss:// or unix://; redis+sentinel://host:port,host:port/name-of-the-master; redis+cluster://host:port,host:port; rediss+… for TLS',
  }),
  REDIS_PREFIX: Type.String({
    default: 'portcullis',
    pattern: '^[A-Za-z0-9._:-]{1,64}$',
    form: '1 to 64 letters, digits or . _ : -',
    description: 'prefix of every key; lets several installations share one Redis',
  }),
  PARTITIONS: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 16_384,
    description:
      'partitions of the registry, fixed at its creation; 16 or more on a Redis Cluster, and several for each master that the Cluster may ever have',
  }),
  ISSUER: Type.String({
    default: 'http://127.0.0.1:4000',
    pattern: '^https?://[^?#]+$',
    form: 'an http: or https: URL without a query and a fragment, as in https://auth.example.com',
    description: 'URL of this service as clients know it; `iss` of every token',
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
    description: 'lifetime of tokens of an identity that sets none, in seconds',
  }),
  MAX_TOKENS_PER_IDENTITY: Type.Integer({
    default: 100_000,
    minimum: 1,
    maximum: 1_000_000_000,
    description:
      'live tokens that one identity may have, including those of its users; about 1 kB of Redis memory each',
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
        'the previous secret, while KEY_ENCRYPTION_SECRET changes; at the start, keys encrypted with it are encrypted again with the new one',
    }),
  ),
  KEY_ROTATION_DAYS: Type.Integer({
    default: 90,
    minimum: 0,
    maximum: 3650,
    description:
      'days until the next signing key takes over, without effect on tokens and verifiers; 0: only POST /v1/keys/rotate rotates',
  }),
  SIGNING_ALGORITHM: Type.Union([Type.Literal('EdDSA'), Type.Literal('ES256')], {
    default: 'EdDSA',
    description:
      'algorithm of new signing keys: EdDSA (Ed25519), or ES256 for verifiers that support no other; existing keys keep their algorithm',
  }),
  ADMIN_IDENTITY: Type.String({
    default: 'admin',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._@/:-]{0,127}$',
    form: '1 to 128 letters, digits or . _ @ / : -, beginning with a letter or digit',
    description: 'identity of the administrator',
  }),
  ADMIN_REGISTRATION_CODE: Type.Optional(
    Type.String({
      minLength: 32,
      maxLength: 256,
      description:
        'a registration code of the administrator, added at the start; random, 32 characters or more',
    }),
  ),
  ADMIN_CODE_FILE: Type.String({
    default: 'portcullis-admin.json',
    description:
      'file to which the first start writes the registration code of the administrator it makes, when ADMIN_REGISTRATION_CODE is not set',
  }),
  FEED_MAX_LENGTH: Type.Integer({
    default: 100_000,
    minimum: 1,
    maximum: 1_000_000_000,
    description: 'revocations that the feed of a partition keeps for nodes that reconnect',
  }),
  FEED_HELLO_MS: milliseconds(5000, 'how long a node may take to say hello, in milliseconds'),
  FEED_PING_INTERVAL_MS: milliseconds(
    10_000,
    'how often a node on the feed is pinged, in milliseconds; a node that has not answered by the next ping is cut off',
  ),
  LEASE_MS: Type.Integer({
    default: 10_000,
    minimum: 500,
    maximum: 600_000,
    description:
      'longest time that a receipt waits for a node that is gone, in milliseconds; a node holds its connections after it has not reached auth for two thirds of this time; under constant revocations a node has a fifth of it to acknowledge',
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
      'Redis replicas that must have a revocation before the request is answered, unless the request says how many; the receipt shows how many have it',
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
      'entries of the audit log that are kept, for each kind (acts, issued tokens, refusals), over all partitions',
  }),
  CLOSE_DEADLINE_MS: milliseconds(5000, 'how long closing may take, in milliseconds'),
  ...shutdownSettings,
  TRUST_PROXY: Type.Optional(
    Type.String({
      description:
        'addresses or networks of reverse proxies whose X-Forwarded-* headers are trusted, comma separated; none by default',
    }),
  ),
  TOKEN_FAILURES_PER_MINUTE: Type.Integer({
    default: 300,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'failed client authentications of one address in a minute after which further failures are told to wait; correct credentials are never refused',
  }),
  WRONG_CODES_ALLOWED: Type.Integer({
    default: 5,
    minimum: 1,
    maximum: 1000,
    description:
      'wrong registration codes for one identity from one address after which further wrong codes are told to wait; a correct code is never refused',
  }),
  WRONG_CODE_WAIT_MS: milliseconds(
    1000,
    'the first wait after wrong codes, in milliseconds; each further wrong code doubles it',
  ),
  WRONG_CODE_MAX_WAIT_MS: milliseconds(
    60_000,
    'the longest wait after wrong codes, in milliseconds',
  ),
  ADDRESS_REQUESTS_PER_MINUTE: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 100_000_000,
    description:
      'units of work that one address may request from /oauth and /v1 in a minute, at all instances together; a request is one or more units (docs/security.md); 0 for no limit',
  }),
  IDENTITY_REQUESTS_PER_MINUTE: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 100_000_000,
    description:
      'units of work that one identity may request in a minute, with its code or its tokens, at all instances together; a request is one or more units (docs/security.md); 0 for no limit',
  }),
  EVENT_HTTP_HOSTS: Type.Optional(
    Type.String({
      description:
        'host names, comma separated, to which security events may be pushed over http: as well; this machine is always allowed',
    }),
  ),
  EVENT_TIMEOUT_MS: milliseconds(
    10_000,
    'how long a receiver may take to answer a pushed security event, in milliseconds',
  ),
  EVENT_RETRY_MS: milliseconds(
    1000,
    'the first wait before a security event is pushed again, in milliseconds; each further wait doubles, up to five minutes',
  ),
  EVENT_MAX_AGE_SECONDS: Type.Integer({
    default: 86_400,
    minimum: 0,
    maximum: 2_592_000,
    description: 'how long a security event is retried before it expires, in seconds',
  }),
  EVENT_QUEUE_LENGTH: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'security events that may wait for one receiver; beyond this number the oldest are dropped',
  }),
  EVENT_POLL_WAIT_MS: milliseconds(
    30_000,
    'how long a poll for security events waits when the queue is empty, in milliseconds',
  ),
})
export type Config = Omit<Static<typeof configSchema>, 'WORKERS'> & { WORKERS: number }

/**
 * A correct code is never refused, however many wrong ones came before, so a chosen code must not be easy
 * to guess. One in thirty million codes of 32 random hexadecimal digits has fewer different characters.
 */
const minDifferentCharacters = 8

/** Reads auth's settings. @throws ConfigError that names every setting that is missing or wrong */
export function config(environment: Environment): Config {
  const settings = loadConfig(configSchema, environment)
  const { ADMIN_REGISTRATION_CODE: code } = settings
  if (code !== undefined && new Set(code).size < minDifferentCharacters) {
    throw new ConfigError([
      `ADMIN_REGISTRATION_CODE must have ${minDifferentCharacters} different characters or more; make a random code with: openssl rand -base64 33`,
    ])
  }
  return { ...settings, WORKERS: countWorkers(settings.WORKERS) }
}
