import { maxTokenLength } from '@portcullis/contracts/names'
import type { SigningKey } from '../keys/index.js'
import { isTokenId } from './token-id.js'

/** What a token's text says. Only the registry knows whether this text was issued. */
export interface DecodedToken {
  text: string
  jti: string
  client_id: string
  /** The key that the header names. */
  key: SigningKey
}

export interface Issuer {
  /**
   * Returns the key that a token's encoded header names; undefined unless it is exactly the header
   * that auth writes for this key, so that no other header has an influence.
   */
  keyOf(header: string): SigningKey | undefined
  readonly issuer: string
  readonly audience: string
}

/**
 * Reads a token's id and identity from its text; undefined unless header, issuer and audience are
 * those of this issuer, and the id was made with the named key for this identity. Only computes, so
 * invented tokens cause no requests. The signature is not verified.
 */
export function decode(
  { keyOf, issuer, audience }: Issuer,
  text: string,
): DecodedToken | undefined {
  if (text.length > maxTokenLength) {
    return undefined
  }
  const headerEnd = text.indexOf('.')
  const payloadEnd = text.indexOf('.', headerEnd + 1)
  if (headerEnd === -1 || payloadEnd === -1) {
    return undefined
  }
  const key = keyOf(text.slice(0, headerEnd))
  const claims = key && parse(text.slice(headerEnd + 1, payloadEnd))
  if (key === undefined || claims === undefined) {
    return undefined
  }
  const { iss, aud, jti, client_id } = claims
  if (iss !== issuer || aud !== audience) {
    return undefined
  }
  if (typeof jti !== 'string' || typeof client_id !== 'string') {
    return undefined
  }
  return isTokenId(key.idSecret, jti, client_id) ? { text, jti, client_id, key } : undefined
}

function parse(segment: string): Record<string, unknown> | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString())
    return isRecord(claims) ? claims : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
