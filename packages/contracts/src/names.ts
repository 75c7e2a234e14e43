import { Type } from '@sinclair/typebox'

/** An identity's name, OAuth's `client_id`: visible ASCII without `"`, `\`, `*` or `:`-first; at most 128. */
export const IdentityName = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._@/:-]{0,127}$',
  description: 'identity (client_id)',
})

/** A node's name, unique in the installation. */
export const NodeName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$' })

/** Node names that an identity may use: a name, or the beginning of one and `*`. */
export const NodePatterns = Type.Array(
  Type.String({ pattern: '^(?:[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\\*?|\\*)$' }),
  { minItems: 1, maxItems: 16, uniqueItems: true },
)

/** Whom a token speaks for, JWT's `sub`: 1 to 255 characters, no control characters. */
export const Subject = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[^\\u0000-\\u001f\\u007f]+$',
  description: 'subject (sub)',
})

/** A word that groups tokens, so that they can be revoked together: `device:phone`. */
export const Label = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._@/:=-]{0,63}$' })
export const Labels = Type.Array(Label, { maxItems: 16, uniqueItems: true })

/** A channel's name: characters that a scope can carry (RFC 6749 scope-token), except `*`. */
export const ChannelName = Type.String({ pattern: '^[!#-)+-\\[\\]-~]{1,255}$' })

/** A token's id (`jti`): the registry partition that holds it, then 128 random bits. */
export const TokenId = Type.String({ pattern: '^[0-9]{1,5}-[A-Za-z0-9_-]{22}$' })

/** How many tokens may stand above a token: its issuer, the issuer's issuer, and so on. */
export const maxParents = 8

/**
 * The token that issued a token, the token that issued that one, and so on. Empty for a token that the
 * identity's own credentials asked for.
 */
export const Parents = Type.Array(TokenId, { maxItems: maxParents })

/** A JWT, or anything else that someone sends as a token: bounded, otherwise unchecked. */
export const TokenText = Type.String({ minLength: 1, maxLength: 4096 })

/** Unix time in milliseconds. */
export const Milliseconds = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 })

/** A token's lifetime in seconds: 1 second to 30 days. */
export const TtlSeconds = Type.Integer({ minimum: 1, maximum: 2_592_000 })
