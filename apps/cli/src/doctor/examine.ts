import type { TokenSource } from '@portcullis/client'
import { NodeList } from '@portcullis/contracts/feed'
import { RegistryReport } from '@portcullis/contracts/registry'
import type { Static, TSchema } from '@sinclair/typebox'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { type AuthApi, allScopes } from '../api/auth-api.js'
import { CliError, HttpError } from '../errors.js'
import type { Session } from '../session/session.js'
import { type Check, failed, ok, warning } from './check.js'
import { checkCertificate } from './check-certificate.js'
import { between, checkClock, checkOwnClock } from './check-clock.js'
import { checkConfiguration } from './check-configuration.js'
import { checkIssuer, decodeJwtPart } from './check-issuer.js'
import { checkNodes, type Target, targetsOf } from './check-nodes.js'
import { checkRegistry } from './check-registry.js'
import { checkService } from './check-service.js'
import { checkSocket } from './check-socket.js'
import type { ClockOffset } from './probe.js'

/** The runtime of the command. */
export interface Runtime {
  node: string
  platform: string
}

/** Runs all checks in order, from this machine outwards. Changes nothing. */
export async function* examine(session: Session, runtime: Runtime): AsyncGenerator<Check> {
  const { profile } = session
  yield* checkConfiguration(profile, runtime)

  yield* await checkCertificate('auth certificate', profile.auth)
  const auth = await checkService('auth', profile.auth, 'auth')
  yield* auth.checks
  if (auth.clock !== undefined) {
    yield checkOwnClock(auth.clock)
  }
  const caller = auth.reachable ? yield* checkCredentials(session) : undefined
  if (auth.reachable) {
    yield* await checkIssuer(profile.auth, caller?.token)
  }

  const nodes = caller && (yield* ask(caller.api, NodeList, '/v1/nodes', 'nodes'))
  if (nodes !== undefined) {
    yield* checkNodes(nodes.nodes)
  }
  // Security: nodes report their own URLs, so they get only a token with a harmless scope.
  const tokens =
    nodes === undefined ? caller?.api.ownTokens : caller?.api.narrowTokens('nodes:read')
  for (const target of targetsOf(profile.realtime, nodes?.nodes ?? [])) {
    yield* checkTarget(target, auth.clock, tokens)
  }

  const registry = caller && (yield* ask(caller.api, RegistryReport, '/v1/registry', 'redis'))
  if (registry !== undefined) {
    yield* checkRegistry(registry)
  }
}

const Claims = Type.Object({ scope: Type.String() })

/** Checks that auth issues a token to the caller, and shows its scopes. */
async function* checkCredentials(
  session: Session,
): AsyncGenerator<Check, { api: AuthApi; token: string } | undefined> {
  let api: AuthApi
  try {
    api = session.auth(allScopes)
  } catch (error) {
    if (!(error instanceof CliError)) {
      throw error
    }
    yield failed('credentials', error.message)
    return undefined
  }
  try {
    const token = await api.accessToken()
    const claims = decodeJwtPart(token.split('.')[1] ?? '')
    const scopes = Value.Check(Claims, claims) ? claims.scope : 'unknown'
    yield ok('credentials', `${api.identity}, scopes: ${scopes}`)
    return { api, token }
  } catch (error) {
    if (!(error instanceof CliError)) {
      throw error
    }
    const advice = 'check the identity and its registration code'
    yield failed('credentials', error.message, advice)
    return undefined
  }
}

/** Sends a request to auth; yields a check when it fails. */
async function* ask<T extends TSchema>(
  api: AuthApi,
  schema: T,
  path: string,
  name: string,
): AsyncGenerator<Check, Static<T> | undefined> {
  try {
    return await api.call(schema, path)
  } catch (error) {
    if (!(error instanceof CliError)) {
      throw error
    }
    const status = error instanceof HttpError ? error.status : undefined
    if (status === 403) {
      const advice = `run this as an identity with the scope nodes:read (${path})`
      yield warning(name, 'not checked: you have no permission', advice)
    } else if (status === 404) {
      yield warning(name, `not checked: auth has no ${path}`, 'update auth')
    } else {
      yield failed(name, error.message, 'check the log of auth')
    }
    return undefined
  }
}

/** Checks a realtime node as a client sees it. */
async function* checkTarget(
  { name, url }: Target,
  authClock: ClockOffset | undefined,
  tokens: TokenSource | undefined,
): AsyncGenerator<Check> {
  yield* await checkCertificate(`${name} certificate`, url.api)
  const node = await checkService('realtime', url.api, name)
  yield* node.checks
  if (!node.reachable) {
    return
  }
  if (node.clock !== undefined && authClock !== undefined) {
    yield checkClock(`${name} clock`, name, between(node.clock, authClock))
  }
  if (tokens !== undefined) {
    yield await checkSocket(`${name} socket`, url, tokens)
  }
}
