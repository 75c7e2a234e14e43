import { permits } from '@portcullis/contracts/scopes'
import type { ApiError, TargetRequest } from '@portcullis/contracts/server-api'
import { replyErrors } from '@portcullis/protocol'
import type { Order, Target } from '../../hub/orders.js'
import type { Caller } from './command.js'

/** Tells every node what to do, on behalf of the caller's token; rejects when that has ended. */
export type Tell = (order: Order, caller: Caller) => Promise<void>

/**
 * The connections that a command names, as far as its caller may reach them: those on tokens of the
 * caller's own identity, unless it has `admin`. An empty id is one that was left out.
 */
export function targetOf(
  { user, client = '', session = '' }: TargetRequest,
  caller: Caller,
): Target {
  return {
    user,
    ...(client === '' ? {} : { client }),
    ...(session === '' ? {} : { session }),
    ...(permits(caller.scopes, 'admin') ? {} : { identity: caller.identity }),
  }
}

/**
 * The error for a field that is set, and means something that this server cannot do; undefined when
 * none is. To ignore it would be to do something else than was asked.
 */
export function refuseFields<Body extends object>(
  body: Body,
  fields: readonly (keyof Body & string)[],
): { error: ApiError } | undefined {
  const set = fields.find((field) => isSet(body[field]))
  return set === undefined ? undefined : notAvailable(set)
}

/** 108, which says what it is that is not available. */
export function notAvailable(what: string): { error: ApiError } {
  const { code, message } = replyErrors.notAvailable
  return { error: { code, message: `${message}: ${what}` } }
}

/** Generated clients also send the fields that nobody has set, with what stands for nothing. */
function isSet(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) {
    return Object.keys(value).length > 0
  }
  return value !== undefined && value !== null && value !== '' && value !== false
}
