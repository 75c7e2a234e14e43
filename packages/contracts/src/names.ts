import { Type } from '@sinclair/typebox'

export const identityNamePattern = /^[A-Za-z0-9][A-Za-z0-9._@/:-]{0,127}$/
/** An identity's name, OAuth's `client_id`. */
export const IdentityName = Type.String({
  pattern: identityNamePattern.source,
  description:
    'an identity (client_id): 1 to 128 letters, digits or . _ @ / : -, beginning with a letter or digit',
})

export const nodeNamePattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/
/** A node's name, unique in the installation. */
export const NodeName = Type.String({
  pattern: nodeNamePattern.source,
  description: 'a node name: 1 to 128 letters, digits or . _ : -, beginning with a letter or digit',
})

/** Node names that an identity may use: each a whole name, or the beginning of one and `*`. */
export const NodePatterns = Type.Array(
  Type.String({
    pattern: '^(?:[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\\*?|\\*)$',
    description:
      'a node name, or the beginning of one and *: letters, digits or . _ : -, beginning with a letter or digit',
  }),
  { minItems: 1, maxItems: 16, uniqueItems: true },
)

/** The user or service that a token speaks for, JWT's `sub`. */
export const Subject = Type.String({
  minLength: 1,
  maxLength: 255,
  // No surrogate without its other half, which UTF-8 and so a token cannot carry.
  pattern: '^(?:[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff])+$',
  description:
    'a subject (sub): 1 to 255 characters, without control characters and halves of surrogate pairs',
})

/** Groups tokens, so that they can be revoked together: `device:phone`. */
export const Label = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._@/:=-]{0,63}$',
  description:
    'a label: 1 to 64 letters, digits or . _ @ / : = -, beginning with a letter or digit',
})
export const Labels = Type.Array(Label, { maxItems: 16, uniqueItems: true })

export const channelNamePattern = /^[!#-)+-[\]-~]{1,255}$/
/** A channel's name: characters that a scope can contain (RFC 6749 scope-token), except `*`. */
export const ChannelName = Type.String({
  pattern: channelNamePattern.source,
  description: 'a channel name: 1 to 255 visible ASCII characters, except " \\ and *',
})

export const tokenIdPattern = /^[0-9]{1,5}-[A-Za-z0-9_-]{22}$/
/**
 * A token's id (`jti`): the registry partition that stores the token, then 96 random bits and a check
 * of 36 bits that only auth can make.
 */
export const TokenId = Type.String({
  pattern: tokenIdPattern.source,
  description: 'a token id (jti)',
})

/** Upper bound of a token's ancestors: its issuer, the issuer's issuer, and so on. */
export const maxParents = 8

/** A token's ancestors. Empty for a token that was issued for the identity's own credentials. */
export const Parents = Type.Array(TokenId, { maxItems: maxParents })

/** Upper bound of a token's length, in characters. */
export const maxTokenLength = 4096

/** Any text sent as a token: only its length is checked. */
export const TokenText = Type.String({ minLength: 1, maxLength: maxTokenLength })

/** Unix time in milliseconds. */
export const Milliseconds = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 })

/**
 * A time that a caller selects by, in Unix milliseconds: from 2001 to 2286, which no time in seconds
 * or microseconds can be mistaken for.
 */
export const GivenTime = Type.Integer({
  minimum: 1_000_000_000_000,
  maximum: 9_999_999_999_999,
  description: 'Unix time in milliseconds, 13 digits',
})

/** Upper bound of a token's lifetime: 30 days. */
export const maxTtlSeconds = 2_592_000

/** A token's lifetime in seconds. */
export const TtlSeconds = Type.Integer({ minimum: 1, maximum: maxTtlSeconds })
