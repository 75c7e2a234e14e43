import type { FastifyInstance } from 'fastify'
import { exportLog } from './audit/export.js'
import { list as listAudit } from './audit/list.js'
import { list as listConnections } from './connections/list.js'
import { add as addReceiver } from './event-receivers/add.js'
import { change as changeReceiver } from './event-receivers/change.js'
import { remove as removeReceiver } from './event-receivers/delete.js'
import { get as getReceiver } from './event-receivers/get.js'
import { list as listReceivers } from './event-receivers/list.js'
import { poll } from './event-receivers/poll.js'
import { verify } from './event-receivers/verify.js'
import { type FeedOptions, open } from './feed/open.js'
import { addCode } from './identities/add-registration-code.js'
import { change } from './identities/change.js'
import { remove } from './identities/delete.js'
import { get as getIdentity } from './identities/get.js'
import { list as listIdentities } from './identities/list.js'
import { register } from './identities/register.js'
import { removeCode } from './identities/remove-registration-code.js'
import { resume } from './identities/resume.js'
import { suspend } from './identities/suspend.js'
import { introspectMany } from './introspections/introspect-many.js'
import { list as listKeys } from './keys/list.js'
import { revoke as revokeKey } from './keys/revoke.js'
import { rotate as rotateKey } from './keys/rotate.js'
import { list as listNodes } from './nodes/list.js'
import { acceptMetadata } from './oauth/clients/accept-metadata.js'
import { change as changeClient } from './oauth/clients/change.js'
import { remove as removeClient } from './oauth/clients/delete.js'
import { get as getClient } from './oauth/clients/get.js'
import { register as registerClient } from './oauth/clients/register.js'
import { answerOAuthErrors } from './oauth/errors.js'
import { acceptForms } from './oauth/form.js'
import { introspect } from './oauth/introspect.js'
import { issueToken } from './oauth/issue-token.js'
import { revoke } from './oauth/revoke.js'
import { show as showRegistry } from './registry/show.js'
import { create } from './revocations/create.js'
import { get as getRevocation } from './revocations/get.js'
import { list as listRevocations } from './revocations/list.js'
import { count } from './tokens/count.js'
import { countByIdentity } from './tokens/count-by-identity.js'
import { get as getToken } from './tokens/get.js'
import { issue } from './tokens/issue.js'
import { list as listTokens } from './tokens/list.js'
import { keySet } from './well-known/key-set.js'
import { metadata } from './well-known/metadata.js'

export interface RoutesOptions {
  feed: FeedOptions
}

/**
 * Registers every route of auth in three scopes: OAuth's (forms and OAuth errors), client
 * registration (JSON and OAuth errors) and the API (JSON and problem JSON).
 */
export async function routes(app: FastifyInstance, { feed }: RoutesOptions): Promise<void> {
  await app.register(async (oauth) => {
    oauth.addHook('onRequest', (_request, reply, done) => {
      // Required beside Cache-Control (RFC 6749 §5.1).
      reply.header('pragma', 'no-cache')
      done()
    })
    answerOAuthErrors(oauth)
    await acceptForms(oauth)
    for (const route of [issueToken, introspect, revoke]) {
      await oauth.register(route)
    }
  })
  await app.register(async (clients) => {
    answerOAuthErrors(clients, 'invalid_client_metadata')
    acceptMetadata(clients)
    for (const route of [registerClient, getClient, changeClient, removeClient]) {
      await clients.register(route)
    }
  })
  await app.register(async (api) => {
    api.removeContentTypeParser('text/plain')
    const identities = [
      register,
      listIdentities,
      getIdentity,
      change,
      remove,
      addCode,
      removeCode,
      suspend,
      resume,
    ]
    const tokens = [
      issue,
      listTokens,
      count,
      countByIdentity,
      getToken,
      introspectMany,
      listConnections,
    ]
    const revocations = [create, listRevocations, getRevocation, listNodes, open(feed)]
    const events = [
      addReceiver,
      listReceivers,
      getReceiver,
      changeReceiver,
      removeReceiver,
      verify,
      poll,
    ]
    const keys = [listKeys, rotateKey, revokeKey]
    const audit = [listAudit, exportLog]
    const descriptions = [keySet, metadata, showRegistry]
    const groups = [identities, tokens, revocations, events, keys, audit, descriptions]
    for (const route of groups.flat()) {
      await api.register(route)
    }
  })
}
