import { permits } from '@portcullis/contracts/scopes'
import type { ApiError, TargetRequest } from '@portcullis/contracts/server-api'
import type { Grant } from '@portcullis/gate'
import { replyErrors } from '@portcullis/protocol'
import type { Order, Target } from '../../hub/orders.js'

/**
 * Sends an order to every node on behalf of the caller's token; rejects when the token has ended.
 */
export type SendOrder = (order: Order, caller: Grant) => Promise<void>

/**
 * Returns the target of a command. Without `admin`, callers reach only connections with tokens of
 * their own identity. Empty ids count as absent.
 */
export function targetOf(
  { user, client = '', session = '' }: TargetRequest,
  caller: Grant,
): Target {
  return {
    user,
    ...(client === '' ? {} : { client }),
    ...(session === '' ? {} : { session }),
    ...(permits(caller.scopes, 'admin') ? {} : { identity: caller.identity }),
  }
}

/**
 * Returns the error for the first of these fields that is set, undefined when none is. This server
 * does not support them, and ignoring one would do something else than was requested.
 */
export function refuseFields<Body extends object>(
  body: Body,
  fields: readonly (keyof Body & string)[],
): { error: ApiError } | undefined {
  const set = fields.find((field) => isSet(body[field]))
  return set === undefined ? undefined : notAvailable(set)
}

/** Returns error 108 that names what is not available. */
export function notAvailable(what: string): { error: ApiError } {
  const { code, message } = replyErrors.notAvailable
  return { error: { code, message: `${message}: ${what}` } }
}

/** Generated clients send unset fields with empty values. */
function isSet(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) {
    return Object.keys(value).length > 0
  }
  return value !== undefined && value !== null && value !== '' && value !== false
}
