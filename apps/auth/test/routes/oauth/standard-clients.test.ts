import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import t from 'tap'
import { claims, clientKey } from '../../fixtures/client-key.js'
import { issuer } from '../../fixtures/issuer.js'

const execute = [openid.allowInsecureRequests]
const options = { algorithm: 'oauth2', execute } as const
const insecure = { [oauth.allowInsecureRequests]: true }

/** Resolves with the OAuth error of a rejected request. */
function refusal(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'none',
    (error: openid.ResponseBodyError) => error.error,
  )
}

t.test(
  'openid-client: issues, introspects and revokes with each authentication method',
  async (t) => {
    const { url, identity, token } = await issuer(t)
    const key = await clientKey('ES256')
    const app = await identity(['introspect', 'subscribe:a'], { jwks: { keys: [key.jwk] } })
    const code = app.registrationCode
    const methods = {
      client_secret_basic: openid.ClientSecretBasic(code),
      client_secret_post: openid.ClientSecretPost(code),
      private_key_jwt: openid.PrivateKeyJwt({ key: key.privateKey, kid: key.jwk.kid ?? '' }),
    }
    for (const [name, method] of Object.entries(methods)) {
      const config = await openid.discovery(url, app.identity, undefined, method, options)
      t.ok(config.serverMetadata().token_endpoint_auth_methods_supported?.includes(name), name)
      const granted = await openid.clientCredentialsGrant(config, { scope: 'subscribe:a' })
      t.equal(granted.scope, 'subscribe:a')
      const active = await openid.tokenIntrospection(config, granted.access_token)
      t.match(active, { active: true, client_id: app.identity, scope: 'subscribe:a' })
      await openid.tokenRevocation(config, granted.access_token, {
        token_type_hint: 'access_token',
      })
      t.same(await openid.tokenIntrospection(config, granted.access_token), { active: false })
      await openid.tokenRevocation(config, 'a text that was never issued')
      const another = openid.tokenRevocation(config, await token())
      t.equal(await refusal(another), 'unauthorized_client')
      const beyond = openid.clientCredentialsGrant(config, { scope: 'feed' })
      t.equal(await refusal(beyond), 'invalid_scope')
    }
  },
)

t.test('openid-client: registers a client and exchanges tokens for its users', async (t) => {
  const { url, tokenWith } = await issuer(t)
  const initialAccessToken = await tokenWith('identities:write', 'tokens:issue', 'subscribe:*')
  const key = await clientKey('Ed25519')
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const config = await openid.dynamicClientRegistration(
    url,
    {
      client_name: 'the shop',
      scope: 'tokens:issue subscribe:user:{sub}',
      grant_types: ['client_credentials', exchange],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [key.jwk] },
    },
    openid.PrivateKeyJwt({ key: key.privateKey, kid: key.jwk.kid ?? '' }),
    { ...options, initialAccessToken },
  )
  const client = config.clientMetadata()
  t.match(client, { client_name: 'the shop', token_endpoint_auth_method: 'private_key_jwt' })
  t.notHas(client, 'client_secret')
  const subject_token = await key.sign(claims(client.client_id, { sub: 'ada', aud: url.origin }))
  const granted = await openid.genericGrantRequest(config, exchange, {
    subject_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    scope: 'subscribe:user:ada',
  })
  t.match(granted, {
    scope: 'subscribe:user:ada',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'bearer',
  })
})

t.test(
  'oauth4webapi: registers, issues, validates (RFC 9068), introspects and revokes',
  async (t) => {
    const { url, tokenWith } = await issuer(t)
    const found = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure })
    const server = await oauth.processDiscoveryResponse(url, found)
    const registered = await oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(
        server,
        { scope: 'introspect' },
        { ...insecure, initialAccessToken: await tokenWith('identities:write', 'introspect') },
      ),
    )
    const client = { client_id: registered.client_id }
    const way = oauth.ClientSecretBasic(String(registered['client_secret']))
    const { access_token } = await oauth.processClientCredentialsResponse(
      server,
      client,
      await oauth.clientCredentialsGrantRequest(server, client, way, {}, insecure),
    )
    const request = new Request(`${url}x`, { headers: { authorization: `Bearer ${access_token}` } })
    const validated = await oauth.validateJwtAccessToken(server, request, 'portcullis', insecure)
    t.match(validated, { client_id: client.client_id, sub: client.client_id, scope: 'introspect' })

    const introspect = async () =>
      oauth.processIntrospectionResponse(
        server,
        client,
        await oauth.introspectionRequest(server, client, way, access_token, insecure),
      )
    t.equal((await introspect()).active, true)
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(server, client, way, access_token, insecure),
    )
    t.same(await introspect(), { active: false })
  },
)
