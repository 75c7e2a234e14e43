import type { Active, Selector } from '@portcullis/contracts'
import type { End, Network } from './network.js'
import type { Parts } from './parts.js'
import type { Process } from './process.js'
import { FeedConnection, Fencer, feedSocket, follow, leaseTimes } from './production.js'
import type { SimulatedToken } from './registry.js'
import type { RegistryClient } from './registry-client.js'
import type { RegistryHost } from './registry-host.js'
import { SimulatedWebSocket } from './web-socket.js'

/** What nodes and administrators ask of auth over HTTP. */
export type AuthRequest =
  | { kind: 'introspect'; tokens: readonly string[] }
  /** A node asks for a token of its own. */
  | { kind: 'token' }
  | { kind: 'revoke'; id: string; selector: Selector; identity: string }

/** The answer, or the status of one that is none. */
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
  /** Whose tokens open the feed. */
  nodeIdentity: string
  /** Issues a token of a node. */
  issue: (registry: RegistryClient) => Promise<string>
  /** Which token a text is: signatures are not what is simulated. */
  tokenOf: (text: string) => SimulatedToken | undefined
}

const helloMs = 1000
const pingIntervalMs = 700
const startRetryMs = 100

/** One auth process, wired as `apps/auth/src/app.ts` does it. */
export class SimulatedAuth {
  readonly process: Process
  readonly #options: AuthOptions
  readonly #registry: RegistryClient
  #hub: Awaited<ReturnType<typeof follow>>['hub'] | undefined
  #fencer: Fencer | undefined
  #leaving = false

  constructor(options: AuthOptions) {
    const { process, network, registry, leaseMs, parts } = options
    this.process = process
    this.#options = options
    this.#registry = new parts.RegistryClient(process, network, registry, { leaseMs })
    process.event(0, () => void this.#start())
  }

  /** Whether it takes connections and requests. */
  get ready(): boolean {
    return this.#hub !== undefined && !this.#leaving && !this.process.killed
  }

  /** SIGTERM: sends the nodes away, and ends. */
  async leave(): Promise<void> {
    this.process.note('closes')
    this.#leaving = true
    await Promise.all([this.#hub?.close(100), this.#fencer?.close()])
    this.process.kill()
  }

  /** A node dials `/v1/feed`. */
  acceptFeed(end: End): void {
    const admit = async (text: string): Promise<number> => {
      const token = this.#options.tokenOf(text)
      if (token?.identity !== this.#options.nodeIdentity) return 401
      const active = await this.#registry.isActive(token).catch(() => undefined)
      return active === undefined ? 503 : active ? 101 : 401
    }
    SimulatedWebSocket.accept(end, admit, (socket, token) => this.#opened(socket, token))
  }

  /** A request over HTTP. */
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

  async #start(): Promise<void> {
    const { process, leaseMs } = this.#options
    const onError = (error: unknown): void =>
      process.note(() => `error: ${error instanceof Error ? error.message : error}`)
    try {
      const { hub } = await follow({ source: this.#registry.source, onError })
      this.#hub = hub
    } catch {
      // The service manager starts it again.
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

  #opened(socket: SimulatedWebSocket, text: string): void {
    const hub = this.#hub
    const { process, tokenOf } = this.#options
    const token = tokenOf(text)
    if (hub === undefined || token === undefined) {
      socket.terminate()
      return
    }
    const connection = new FeedConnection({
      registry: this.#registry,
      hub,
      socket: feedSocket(asWebSocket(socket), pingIntervalMs),
      token: { ...token, expiresAt: process.wall + 1e9 },
      helloMs,
      onError: (error) => process.note(() => `feed connection: ${error}`),
    })
    socket.on('message', (data: Buffer) => {
      process.note(() => `hears ${data}`)
      if (data.includes('"hello"') && data.includes('"cursor"')) {
        process.world.history.count('resumes asked for')
      }
      connection.onMessage(data.toString())
    })
    socket.on('close', () => connection.onClose())
  }

  async #answer(request: AuthRequest): Promise<AuthAnswer> {
    try {
      if (request.kind === 'introspect') return await this.#introspect(request.tokens)
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
      scope: 'subscribe:* publish:*',
      iat: nowSeconds,
      exp: nowSeconds + 1_000_000,
      iss: 'simulation',
      aud: 'simulation',
      token_type: 'Bearer',
      issued_us: issuedUs,
      labels: [...labels],
      parents: [...parents],
    }
  }
}

/** `feedSocket` takes the class of ws; it uses what the simulated one has. */
export function asWebSocket(socket: SimulatedWebSocket): Parameters<typeof feedSocket>[0] {
  return socket as unknown as Parameters<typeof feedSocket>[0]
}
