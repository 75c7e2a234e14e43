import {
  type AuditAction,
  type AuditActor,
  type AuditDetail,
  type AuditTarget,
  auditActions,
} from '@portcullis/contracts/audit'
import { defined } from '@portcullis/contracts/defined'
import { addressOf, answerable, clientAddressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { translate } from '../errors.js'
import { type AuditRecord, isAttempt } from '../registry/index.js'
import type { AttemptLog } from './attempt-log.js'
import type { AuditLog } from './audit-log.js'
import { mayBeSecret, shownName } from './shown-name.js'

/** Fields of a request's entry that only the code which handles the request knows, and adds. */
export interface AuditNotes {
  actor?: AuditActor
  target: AuditTarget
  detail: AuditDetail
  error?: string
  /** Writes no entry when the request succeeds. */
  omitted?: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The action of a request to this route, in the audit log. */
    audit?: AuditAction
  }
  interface FastifyRequest {
    /** Made when it is first read. */
    readonly audit: AuditNotes
    [auditNotes]: AuditNotes | null
  }
}

const auditNotes = Symbol('audit notes')

export interface RecordOptions {
  log: AuditLog
  attempts: AttemptLog
}

/**
 * Writes one entry for each request to a route whose `config` has `audit`. A route names its action
 * there, and adds to `request.audit` the target that its path does not contain.
 *
 * The answer to an administrator's act waits until its entry is written, so that whoever sees the answer
 * also finds the entry, even if this process ends. By then the act is committed. When Redis does not take
 * the entry, the answer still reports the success: after an error the caller would repeat the act, and a
 * registration code that was not shown would be lost. The whole entry then goes to the service's log at
 * level `error`, and is counted (`portcullis_auth_audit_entries_lost_total`).
 *
 * Issued tokens and refusals do not wait for their entries, which leave together at the end of the tick:
 * issuing costs no second round trip. Refusals of unauthenticated callers are grouped
 * (`attempt-log.ts`).
 */
export const recordRequests = plugin(
  async (app: FastifyInstance, { log, attempts }: RecordOptions) => {
    app.decorateRequest(auditNotes, null)
    app.decorateRequest('audit', {
      getter(this: FastifyRequest) {
        this[auditNotes] ??= { target: {}, detail: {} }
        return this[auditNotes]
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
    app.addHook('onSend', (request, reply, _payload, done) => {
      const written = record(request, reply)
      // Fastify goes on when the promise resolves, or when `done` is called.
      if (written === undefined) {
        done()
      }
      return written
    })

    /** Returns a promise if the answer has to wait for its entry. */
    function record(request: FastifyRequest, reply: FastifyReply): Promise<void> | undefined {
      const entry = entryOf(request, reply)
      if (entry === undefined) {
        return undefined
      }
      if (isAttempt(entry)) {
        attempts.add(entry, addressOf(request))
        return undefined
      }
      const added = log.add(entry)
      return auditActions[entry.action] === 'act' && entry.result !== 'refused' ? added : undefined
    }
  },
  { name: 'audit' },
)

/** Statuses that refuse the caller, whatever it asked for. */
const callerRefused: readonly number[] = [401, 403, 429]

function entryOf(request: FastifyRequest, { statusCode }: FastifyReply): AuditRecord | undefined {
  const action = request.routeOptions.config.audit
  if (action === undefined) {
    return undefined
  }
  if (auditActions[action] === 'read' && !callerRefused.includes(statusCode)) {
    return undefined
  }
  const { actor, detail, error, omitted } = request.audit
  const result = statusCode < 400 ? 'ok' : statusCode < 500 ? 'refused' : 'failed'
  if (omitted && result === 'ok') {
    return undefined
  }
  const target = targetOf(request, result === 'ok')
  return {
    action,
    result,
    status: statusCode,
    ...defined({ error, actor }),
    ...(isEmpty(target) ? {} : { target }),
    ...(isEmpty(detail) ? {} : { detail }),
    address: clientAddressOf(request),
    requestId: request.id,
  }
}

/**
 * Returns the target, with the identity of the path. After a failure its names are unverified: values that
 * may be secrets are left out.
 */
function targetOf({ params, audit }: FastifyRequest, succeeded: boolean): AuditTarget {
  const { identity } = (params ?? {}) as { identity?: string }
  const target = { ...defined({ identity }), ...audit.target }
  if (succeeded) {
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
