import { DryRun, Receipt, Revoke, type Selector } from '@portcullis/contracts/revocations'
import type { FastifyRequest } from 'fastify'
import type { Meters } from '../../metrics/meters.js'
import { awaitReceipt, countCovered, getReceipt, revoke } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { searchUnits } from '../units.js'
import { awaitConfirmations } from './await-confirmations.js'
import { selectorOf } from './selector.js'

/**
 * `POST /v1/revocations`. The scope `tokens:revoke` allows every selector: a service that watches for
 * abuse must be able to revoke any token, also of identities with more scopes than its own.
 */
export const create: Route = async (app) => {
  app.post(
    '/v1/revocations',
    {
      config: {
        audit: 'revocation.create',
        // A revocation is always cheap; only counting its tokens costs more.
        units: ({ body }) => ((body as Revoke).dryRun === true ? searchUnits : 1),
      },
      onRequest: app.allow('tokens:revoke'),
      schema: {
        summary: 'Revoke tokens, by exactly one selector; the response is a receipt',
        description:
          'The scope `tokens:revoke` allows a caller to revoke any token, also of identities with more scopes than its own. ' +
          'With `replicas`, the response waits until that many Redis replicas have the revocation, for at most a second, or `wait` if that is longer (at most 1500 ms). Fewer replicas are not an error; the receipt has their number.',
        body: Revoke,
        response: { 200: DryRun, 201: Receipt, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { issuedBefore, reason, dryRun, wait = 0 } = request.body
      const selector = selectorOf(app.tokens, request.body)
      noteSelector(request, selector)
      if (dryRun === true) {
        request.audit.detail['dryRun'] = true
        const cutoffUs = issuedBefore === undefined ? undefined : issuedBefore * 1000 - 1
        const { tokens, exact } = await countCovered(app.registry, selector, cutoffUs)
        const atLeast = exact ? {} : { atLeast: true as const }
        return reply.send({ dryRun: true as const, tokens, ...atLeast })
      }
      const { id, tokens, parts } = await request.caller.act((registry) =>
        revoke(registry, { selector, issuedBefore, reason }),
      )
      request.caller.keepResponse()
      request.audit.target.revocation = id
      request.audit.detail['tokens'] = tokens
      app.meters.revocations[kindOf(selector)] += 1
      await Promise.all([
        awaitConfirmations(app, { id, parts }, request.body),
        // Closing ends this wait; the response is the receipt so far, to be read again elsewhere.
        wait === 0 ? undefined : awaitReceipt(app.registry, app.receiptWatch, id, wait),
      ])
      const receipt = await getReceipt(app.registry, id)
      return reply.code(201).header('location', `/v1/revocations/${id}`).send(receipt)
    },
  )
}

/** Returns the name of a selector's kind in metrics. */
function kindOf(selector: Selector): keyof Meters['revocations'] {
  if ('all' in selector) {
    return 'all'
  }
  if ('jti' in selector) {
    return selector.cascade === true ? 'jti_cascade' : 'jti'
  }
  if ('subject' in selector) {
    return 'identity_subject'
  }
  return 'label' in selector ? 'identity_label' : 'identity'
}

/** Notes the selector for the audit log, never the token that was sent to select it. */
function noteSelector({ audit }: FastifyRequest, selector: Selector): void {
  if ('all' in selector) {
    audit.detail['all'] = true
  } else if ('jti' in selector) {
    audit.target.jti = selector.jti
    if (selector.cascade === true) {
      audit.detail['cascade'] = true
    }
  } else {
    Object.assign(audit.target, selector)
  }
}
