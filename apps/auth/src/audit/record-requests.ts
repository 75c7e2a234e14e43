import {
  type AuditAction,
  type AuditActor,
  type AuditDetail,
  type AuditTarget,
  auditActions,
} from '@portcullis/contracts/audit'
import { addressOf, answerable, clientAddressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { translate } from '../errors.js'
import { type AuditRecord, isAttempt } from '../registry/index.js'
import type { AttemptLog } from './attempt-log.js'
import type { AuditLog } from './audit-log.js'
import { mayBeSecret, shownName } from './shown-name.js'

/** What a request's entry says beside what is seen from outside. Whoever learns something adds it. */
export interface AuditNotes {
  actor?: AuditActor
  target: AuditTarget
  detail: AuditDetail
  error?: string
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the audit log calls a request to this route. */
    audit?: AuditAction
  }
  interface FastifyRequest {
    readonly audit: AuditNotes
  }
}

export interface RecordOptions {
  log: AuditLog
  attempts: AttemptLog
}

/**
 * Writes the audit log: one entry for each request to a route whose `config` has `audit`. Everything
 * that is on record comes from here, so a route has to say no more than what it is, and what it was done
 * to where the path does not.
 *
 * An act of an administrator is answered after its entry is on record: who sees the answer finds the entry,
 * whatever ends this process. By then the act is committed. So when Redis does not take the entry
 * the answer says all the same what is so: a caller who was told of a failure would do it again, and a
 * registration code that was not shown is lost. The entry goes to the service's log whole, at the level
 * `error`, and is counted (`portcullis_audit_entries_lost_total`).
 *
 * Tokens that are issued, and refusals, do not wait: their entries leave in the same tick, many at a
 * time, so that issuing costs no second round trip. Refusals of callers that have proven nothing are
 * folded (`fold-attempts.ts`).
 */
export const recordRequests = plugin(
  async (app: FastifyInstance, { log, attempts }: RecordOptions) => {
    const notes = new WeakMap<FastifyRequest, AuditNotes>()
    app.decorateRequest('audit', {
      getter(this: FastifyRequest) {
        let known = notes.get(this)
        if (known === undefined) {
          known = { target: {}, detail: {} }
          notes.set(this, known)
        }
        return known
      },
    })
    app.addHook('onError', async (request, _reply, error) => {
      if (request.routeOptions.config.audit === undefined) {
        return
      }
      const { code } = answerable(error, translate)
      if (code !== undefined) {
        request.audit.error = code
      }
    })
    app.addHook('onSend', async (request, reply) => {
      const entry = entryOf(request, reply)
      if (entry === undefined) {
        return
      }
      if (isAttempt(entry)) {
        attempts.add(entry, addressOf(request))
        return
      }
      const added = log.add(entry)
      if (auditActions[entry.action] === 'act' && entry.result !== 'refused') {
        await added
      }
    })
  },
  { name: 'audit' },
)

/** The answers that refuse the caller, rather than what it asked for. */
const refusesCaller: readonly number[] = [401, 403, 429]

function entryOf(request: FastifyRequest, { statusCode }: FastifyReply): AuditRecord | undefined {
  const action = request.routeOptions.config.audit
  if (action === undefined) {
    return undefined
  }
  if (auditActions[action] === 'read' && !refusesCaller.includes(statusCode)) {
    return undefined
  }
  const { actor, detail, error } = request.audit
  const result = statusCode < 400 ? 'ok' : statusCode < 500 ? 'refused' : 'failed'
  const target = targetOf(request, result === 'ok')
  return {
    action,
    result,
    status: statusCode,
    ...(error === undefined ? {} : { error }),
    ...(actor === undefined ? {} : { actor }),
    ...(isEmpty(target) ? {} : { target }),
    ...(isEmpty(detail) ? {} : { detail }),
    address: clientAddressOf(request),
    requestId: request.id,
  }
}

/** The identity is in most paths. Where nothing was done nothing says that there is anything so called. */
function targetOf({ params, audit }: FastifyRequest, isDone: boolean): AuditTarget {
  const { identity } = (params ?? {}) as { identity?: string }
  const target = { ...(identity === undefined ? {} : { identity }), ...audit.target }
  if (isDone) {
    return target
  }
  return Object.fromEntries(
    Object.entries(target).filter(([name, value]) =>
      name === 'identity' ? shownName(value) !== undefined : !mayBeSecret(value),
    ),
  )
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0
}
