import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { connect } from '@portcullis/redis'
import { Provider } from 'oidc-provider'
import { serve } from './serve.js'

/**
 * node-oidc-provider with opaque tokens in Redis, the URL of which is its argument. One client, `backend`,
 * gets tokens for itself and introspects them.
 */
const onError = (error: Error) => process.stderr.write(`${error.message}\n`)
const redis = connect({ url: process.argv[2] ?? '', role: 'subscriber', onError })
await redis.connect()

/** Stores each record as JSON under its model and id. */
class Adapter {
  readonly #model: string
  constructor(model: string) {
    this.#model = model
  }
  #key(id: string): string {
    return `oidc:${this.#model}:${id}`
  }
  async upsert(id: string, record: object, expiresIn?: number): Promise<void> {
    const lifetime = expiresIn === undefined ? [] : ['EX', expiresIn]
    await redis.call('SET', this.#key(id), JSON.stringify(record), ...lifetime)
  }
  async find(id: string): Promise<unknown> {
    const text = await redis.get(this.#key(id))
    return text === null ? undefined : JSON.parse(text)
  }
  async destroy(id: string): Promise<void> {
    await redis.del(this.#key(id))
  }
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const provider = new Provider('http://127.0.0.1', {
  adapter: Adapter,
  clients: [
    {
      client_id: 'backend',
      client_secret: process.argv[3],
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'api',
    },
  ],
  scopes: ['api'],
  jwks: { keys: [{ ...rsa.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' }] },
  ttl: { ClientCredentials: 86_400 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: async () => true },
  },
})
provider.on('server_error', (_context, error) => onError(error))

serve(createServer(provider.callback()))
