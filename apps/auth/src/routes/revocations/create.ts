import { DryRun, Receipt, Revoke, type Selector } from '@portcullis/contracts/revocations'
import type { FastifyRequest } from 'fastify'
import { awaitReceipt, countCovered, getReceipt, revoke } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { searchUnits } from '../units.js'
import { awaitConfirmations } from './await-confirmations.js'
import { selectorOf } from './selector.js'

/**
 * `POST /v1/revocations`. The scope `tokens:revoke` is for every selector: whoever watches for abuse
 * must be able to end any token, also of those who may do more.
 */
export const create: Route = async (app) => {
  app.post(
    '/v1/revocations',
    {
      config: {
        audit: 'revocation.create',
        // To revoke is never made expensive; to count what it would do is.
        units: ({ body }) => ((body as Revoke).dryRun === true ? searchUnits : 1),
      },
      onRequest: app.allow('tokens:revoke'),
      schema: {
        summary: 'Revoke tokens, by exactly one selector; the answer is a receipt',
        description:
          'Whoever has the scope tokens:revoke may revoke any token, also of identities that may do more. ' +
          'With `replicas` the answer waits until so many Redis replicas have it, at most a second or `wait` if that is longer (1500 ms at most); fewer are no error, the receipt says how many.',
        body: Revoke,
        response: { 200: DryRun, 201: Receipt, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { issuedBefore, reason, dryRun, wait = 0 } = request.body
      const chosen = selectorOf(app.tokens, request.body)
      noteSelector(request, chosen)
      if (dryRun === true) {
        request.audit.detail['dryRun'] = true
        const cutoffUs = issuedBefore === undefined ? undefined : issuedBefore * 1000 - 1
        const { tokens, exact } = await countCovered(app.registry, chosen, cutoffUs)
        const atLeast = exact ? {} : { atLeast: true as const }
        return reply.send({ dryRun: true as const, tokens, ...atLeast })
      }
      const { id, tokens, parts } = await request.caller.act((registry) =>
        revoke(registry, { selector: chosen, issuedBefore, reason }),
      )
      request.caller.keepAnswer()
      request.audit.target.revocation = id
      request.audit.detail['tokens'] = tokens
      app.meters.revocations.inc({ selector: Object.keys(chosen).join('_') })
      await Promise.all([
        awaitConfirmations(app, { id, parts }, request.body),
        // Closing ends this wait: the receipt as it stands, to be read again at another instance.
        wait === 0 ? undefined : awaitReceipt(app.registry, app.receiptWatch, id, wait),
      ])
      const receipt = await getReceipt(app.registry, id)
      return reply.code(201).header('location', `/v1/revocations/${id}`).send(receipt)
    },
  )
}

/** What it covers, but never a token that was sent to say so. */
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
