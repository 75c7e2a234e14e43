import { type Static, Type } from '@sinclair/typebox'
import { readJson } from '../config/read-json.js'

const Configured = Type.Union([
  Type.String(),
  Type.Object(
    {
      url: Type.String(),
      /** The handler receives every payload as bytes, in base64. */
      binary: Type.Optional(Type.Boolean()),
    },
    { additionalProperties: false },
  ),
])
type Configured = Static<typeof Configured>

const ConfiguredByName = Type.Optional(Type.Record(Type.String({ maxLength: 255 }), Configured))

const Configuration = Type.Object(
  {
    rpc: ConfiguredByName,
    subscribe: ConfiguredByName,
    publish: ConfiguredByName,
    sub_refresh: ConfiguredByName,
    send: Type.Optional(Configured),
    connect: Type.Optional(Configured),
    events: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
)
type Configuration = Static<typeof Configuration>

/** One of the application's handlers. */
export interface Endpoint {
  /** For the log, instead of the URL, whose query may hold a secret. */
  readonly name: string
  readonly url: URL
  readonly binary: boolean
}

/** Endpoints by name: of methods for `rpc`, of channels for the others. */
export class NamedEndpoints {
  readonly #byName: ReadonlyMap<string, Endpoint>

  constructor(byName: ReadonlyMap<string, Endpoint> = new Map()) {
    this.#byName = byName
  }

  /**
   * Finds an endpoint by the exact name, then by its namespace, then the default, whose name is
   * empty. A namespace is the part before the first colon: `billing` of `billing:refund`.
   */
  of(name: string): Endpoint | undefined {
    if (this.#byName.size === 0) {
      return undefined
    }
    const namespace = name.slice(0, Math.max(0, name.indexOf(':')))
    return this.#byName.get(name) ?? this.#byName.get(namespace) ?? this.#byName.get('')
  }
}

/** The application's handlers. */
export class Endpoints {
  readonly rpc: NamedEndpoints
  readonly subscribe: NamedEndpoints
  readonly publish: NamedEndpoints
  readonly subRefresh: NamedEndpoints
  readonly send: Endpoint | undefined
  readonly connect: Endpoint | undefined
  /** Gets events; it is not asked. */
  readonly events: Endpoint | undefined

  /** @throws EndpointError for a URL that cannot be a handler's */
  constructor({ rpc, subscribe, publish, sub_refresh, send, connect, events }: Configuration) {
    this.rpc = namedEndpoints('rpc', rpc)
    this.subscribe = namedEndpoints('subscribe', subscribe)
    this.publish = namedEndpoints('publish', publish)
    this.subRefresh = namedEndpoints('sub_refresh', sub_refresh)
    this.send = send === undefined ? undefined : endpoint('send', send)
    this.connect = connect === undefined ? undefined : endpoint('connect', connect)
    this.events = events === undefined ? undefined : endpoint('events', events)
  }
}

/**
 * Reads the configuration: a JSON object of URLs. Returns a string that names an error, without the
 * values, which may be secrets.
 */
export function readEndpoints(json: string): Endpoints | string {
  const value = readJson(Configuration, json)
  if (typeof value === 'string') {
    return value
  }
  try {
    return new Endpoints(value)
  } catch (error) {
    if (error instanceof EndpointError) {
      return error.message
    }
    throw error
  }
}

class EndpointError extends Error {}

function namedEndpoints(kind: string, configured: Record<string, Configured> = {}): NamedEndpoints {
  const entries = Object.entries(configured).map(
    ([name, each]) => [name, endpoint(`${kind} "${name}"`, each)] as const,
  )
  return new NamedEndpoints(new Map(entries))
}

function endpoint(name: string, configured: Configured): Endpoint {
  const { url, binary = false } = typeof configured === 'string' ? { url: configured } : configured
  const problem = problemOf(url)
  if (problem !== undefined) {
    throw new EndpointError(`${name}: ${problem}`)
  }
  return { name, url: new URL(url), binary }
}

function problemOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return 'must be an http:// or https:// URL'
  }
  if (url.username !== '' || url.password !== '') {
    return 'must not contain credentials; use HANDLER_SECRET'
  }
  return url.hash === '' ? undefined : 'must not have a fragment'
}
