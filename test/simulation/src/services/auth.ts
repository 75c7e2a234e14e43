import type { Active } from '@portcullis/contracts/introspection'
import type { Selector } from '@portcullis/contracts/revocations'
import type { HttpRequest } from '../network/http.js'
import type { End, Network } from '../network/network.js'
import { SimulatedWebSocket } from '../network/web-socket.js'
import type { Parts } from '../parts.js'
import {
  Callers,
  Fencer,
  issueToken,
  type Jwt,
  keyNames,
  leaseTimes,
  type OpenedFeed,
  openFeed,
  openOwnPart,
  partitionOf,
  type Registry,
  registerIdentity,
  serveFeed,
} from '../production.js'
import { asCommands } from '../registry/commands.js'
import { type SimulatedToken, tokenScope } from '../registry/registry.js'
import type { RegistryClient } from '../registry/registry-client.js'
import type { RegistryHost } from '../registry/registry-host.js'
import type { Process } from '../world/process.js'
import { countEffects } from './count-effects.js'
import { countHeldCallers } from './count-held-callers.js'
import { logOf } from './log.js'

/** A request of a node or an administrator to auth over HTTP. */
export type AuthRequest =
  | { kind: 'introspect'; tokens: readonly string[] }
  /** A node requests its own token. */
  | { kind: 'token' }
  | { kind: 'revoke'; id: string; selector: Selector; identity: string }

/** A caller's request to write: issue a token, or register an identity. */
export type AuthWrite = { kind: 'issue' } | { kind: 'register'; identity: string }

/** The answer, or the status of an error. */
export type AuthAnswer =
  | { status: 200; results: readonly (Active | undefined)[] }
  | { status: 200; token: string }
  | { status: 201 }
  | { status: 503 }

export interface AuthOptions {
  process: Process
  network: Network
  registry: RegistryHost
  leaseMs: number
  parts: Parts
  /** The identity whose tokens open the feed. */
  nodeIdentity: string
  /** Issues a token for a node. */
  issue: (registry: RegistryClient) => Promise<string>
  /** Finds a token by its text. The simulation has no signatures. */
  tokenOf: (text: string) => SimulatedToken | undefined
}

const helloMs = 1000
const pingIntervalMs = 700
const startRetryMs = 100
/** How long the start waits for this instance's own leases, in milliseconds. */
const ownLeaseMs = 300

/** An auth process: production code behind simulated sockets. */
export class SimulatedAuth {
  readonly process: Process
  readonly #options: AuthOptions
  readonly #registry: RegistryClient
  readonly #scripted: Registry
  #feed: OpenedFeed | undefined
  #callers: Callers | undefined
  #fencer: Fencer | undefined
  #leaving = false

  constructor(options: AuthOptions) {
    const { process, network, registry, leaseMs, parts } = options
    this.process = process
    this.#options = options
    this.#registry = new parts.RegistryClient(process, network, registry, { leaseMs })
    const partitions = registry.partitions.length
    const { scripts } = this.#registry
    this.#scripted = {
      redis: asCommands(scripts),
      keys: keyNames('simulation', partitions),
      partitions,
      feedMaxLength: 1000,
      receiptTtlSeconds: 600,
      leaseMs,
      wrongCodes: { allowed: 1, waitMs: 1, maxWaitMs: 1 },
      maxTokensPerIdentity: 1e6,
    }
    process.event(0, () => void this.#start())
  }

  /** True while it accepts connections and requests. */
  get ready(): boolean {
    return this.#feed !== undefined && !this.#leaving && !this.process.killed
  }

  /** Closes on SIGTERM: disconnects the nodes, and exits. */
  async leave(): Promise<void> {
    this.process.note('closes')
    this.#leaving = true
    await Promise.all([this.#feed?.hub.close(100), this.#fencer?.close()])
    await this.#feed?.close()
    this.process.kill()
  }

  /** Accepts a node's dial of `/v1/feed`. */
  acceptFeed(end: End): void {
    const admit = async (text: string): Promise<number> => {
      const token = this.#options.tokenOf(text)
      if (token?.identity !== this.#options.nodeIdentity) {
        return 401
      }
      const active = await this.#registry.isActive(token).catch(() => undefined)
      return active === undefined ? 503 : active ? 101 : 401
    }
    SimulatedWebSocket.accept(end, admit, (socket, token) => this.#opened(socket, token))
  }

  /** Accepts a request over HTTP. */
  acceptRequest(end: End): void {
    end.receiver = {
      received: (request) => {
        void this.#answer(request as AuthRequest).then((answer) => {
          end.send(answer)
          end.close()
        })
      },
      ended: () => undefined,
    }
  }

  /** Handles a request with a token, as `callers.ts` and the routes do. */
  async call(http: HttpRequest, write: AuthWrite): Promise<void> {
    const callers = this.#callers
    if (callers === undefined || !this.ready) {
      return http.answer(503)
    }
    const { request, reply, token } = http
    try {
      const caller = await callers.admit(request, reply, token)
      if (caller === undefined) {
        return http.answer(401)
      }
      if (!(await http.body)) {
        return
      }
      const { claims, authority } = caller
      // Some routes take further turns.
      if (this.process.random.chance(0.5)) {
        await new Promise(setImmediate)
      }
      await authority.act((registry) => this.#write(registry, this.#options.tokenOf(token), write))
      const refusal = callers.refusal(request)
      this.process.note(() => `has written for ${claims.jti}: ${write.kind}`)
      http.answer(refusal === undefined ? 201 : statusOf(refusal))
    } catch (error) {
      this.process.note(() => `refuses a request: ${error}`)
      http.answer(statusOf(error))
    }
  }

  /** Writes like `POST /v1/tokens` or `POST /v1/identities`, without their checks of scopes. */
  async #write(
    registry: Registry,
    token: SimulatedToken | undefined,
    write: AuthWrite,
  ): Promise<void> {
    if (token === undefined) {
      throw new Error('no such token')
    }
    const { identity, subject } = token
    const own = { ...registry, redis: asCommands(this.#registry.scripts.of(token)) }
    if (write.kind === 'register') {
      await registerIdentity(own, { identity: write.identity, scopes: [] })
      return
    }
    const order = { identity, subject, scopes: [], ttlSeconds: 600, labels: [], from: '::1' }
    const partition = partitionOf(identity, registry.partitions)
    const jti = `${partition}-${this.process.random.bytes(16).toString('base64url')}`
    await issueToken(own, { ...order, parent: token.jti }, { jti, kid: '', sign: () => jti })
  }

  async #start(): Promise<void> {
    const { process, leaseMs } = this.#options
    const onError = (error: unknown): void =>
      process.note(() => `error: ${error instanceof Error ? error.message : error}`)
    try {
      const feed = await openFeed({
        source: this.#registry.source,
        openPart: (cursor) => this.#openOwnPart(cursor, onError),
        maxLeaseWaitMs: ownLeaseMs,
        onError,
      })
      const { watch, part } = feed
      const held = new this.#options.parts.HeldCallers({ watch })
      countHeldCallers(held, process.world.history)
      this.#callers = new Callers({
        registry: this.#scripted,
        jwt: this.#jwt(),
        watch,
        lease: (partition) => part.lease(partition),
        held,
      })
      this.#feed = feed
    } catch {
      // The service manager restarts it.
      process.setTimeout(() => void this.#start(), startRetryMs)
      return
    }
    this.#fencer = new Fencer({
      registry: this.#registry,
      pollMs: leaseTimes(leaseMs).pollMs,
      onFenced: ({ node, instance }) => {
        process.world.history.count('fences')
        process.note(`fences ${node} (${instance})`)
      },
      onError,
    })
    process.note('is ready')
  }

  #openOwnPart(cursor: string, onError: (error: unknown) => void) {
    const { process, parts, leaseMs } = this.#options
    const instance = process.random.bytes(16).toString('base64url')
    const registry = this.#registry.authPart({ node: `(auth)${process.name}`, instance })
    const own = openOwnPart({ registry, leaseMs, log: logOf(process), onError, parts }, cursor)
    countEffects(own.watch, process.world.history)
    return own
  }

  /** Replaces the signatures: the text of a token is its id. */
  #jwt(): Jwt {
    const decode = (text: string) => {
      const token = this.#options.tokenOf(text)
      return token && { text, jti: token.jti, client_id: token.identity }
    }
    return { issuer: 'simulation', audience: 'simulation', decode } as unknown as Jwt
  }

  #opened(socket: SimulatedWebSocket, text: string): void {
    const feed = this.#feed
    const { process, tokenOf } = this.#options
    const token = tokenOf(text)
    if (feed === undefined || token === undefined) {
      socket.terminate()
      return
    }
    socket.on('message', (data: Buffer) => {
      process.note(() => `receives ${data}`)
      if (data.includes('"hello"') && data.includes('"cursor"')) {
        process.world.history.count('resumes asked for')
      }
    })
    serveFeed(asWebSocket(socket), {
      registry: this.#registry,
      hub: feed.hub,
      token: { ...token, expiresAt: process.wall + 1e9 },
      pingIntervalMs,
      helloMs,
      onError: (error) => process.note(() => `feed connection: ${error}`),
    })
  }

  async #answer(request: AuthRequest): Promise<AuthAnswer> {
    try {
      if (request.kind === 'introspect') {
        return await this.#introspect(request.tokens)
      }
      if (request.kind === 'token') {
        return { status: 200, token: await this.#options.issue(this.#registry) }
      }
      await this.#registry.revoke(request.id, request.selector, request.identity)
      return { status: 201 }
    } catch {
      return { status: 503 }
    }
  }

  async #introspect(tokens: readonly string[]): Promise<AuthAnswer> {
    const claims = tokens.map((text) => this.#options.tokenOf(text) ?? { jti: '', identity: '' })
    const found = await this.#registry.introspect(claims)
    return { status: 200, results: found.map((token) => token && this.#active(token)) }
  }

  #active({ jti, identity, subject, labels, parents, issuedUs }: SimulatedToken): Active {
    const nowSeconds = Math.floor(this.process.wall / 1000)
    return {
      active: true,
      jti,
      client_id: identity,
      sub: subject,
      scope: tokenScope,
      iat: nowSeconds,
      exp: nowSeconds + 1_000_000,
      iss: 'simulation',
      aud: 'simulation',
      token_type: 'Bearer',
      issued_us: issuedUs,
      expires_in_ms: 1_000_000_000,
      labels: [...labels],
      parents: [...parents],
    }
  }
}

/** The simulated socket has the members that `serveFeed` uses. */
function asWebSocket(socket: SimulatedWebSocket): Parameters<typeof serveFeed>[0] {
  return socket as unknown as Parameters<typeof serveFeed>[0]
}

/** Returns the status that `problems` answers: the caller's token has ended, or the registry is down. */
function statusOf(error: unknown): number {
  return error instanceof Error && 'code' in error && error.code === 'invalid_token' ? 401 : 503
}
