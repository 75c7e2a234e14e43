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

const Configuration = Type.Object(
  {
    rpc: Type.Optional(Type.Record(Type.String({ maxLength: 255 }), Configured)),
    send: Type.Optional(Configured),
    connect: Type.Optional(Configured),
  },
  { additionalProperties: false },
)

/** One of the application's handlers. */
export interface Endpoint {
  /** For the log, instead of the URL, whose query may hold a secret. */
  readonly name: string
  readonly url: URL
  readonly binary: boolean
}

/**
 * The application's handlers. An `rpc` handler is found by exact method, then by namespace, then
 * the default.
 */
export class Endpoints {
  readonly send: Endpoint | undefined
  readonly connect: Endpoint | undefined
  readonly #byMethod: ReadonlyMap<string, Endpoint>

  constructor(
    byMethod: ReadonlyMap<string, Endpoint> = new Map(),
    send?: Endpoint,
    connect?: Endpoint,
  ) {
    this.#byMethod = byMethod
    this.send = send
    this.connect = connect
  }

  /**
   * A method's namespace is the part before its first colon, as for channels: `billing` of
   * `billing:refund`.
   */
  rpc(method: string): Endpoint | undefined {
    const namespace = method.slice(0, Math.max(0, method.indexOf(':')))
    return this.#byMethod.get(method) ?? this.#byMethod.get(namespace) ?? this.#byMethod.get('')
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
  const { rpc = {}, send, connect } = value
  const problems: string[] = []
  const read = (name: string, configured: Configured): Endpoint | undefined => {
    const { url, binary = false } =
      typeof configured === 'string' ? { url: configured } : configured
    const problem = problemOf(url)
    if (problem === undefined) {
      return { name, url: new URL(url), binary }
    }
    problems.push(`${name}: ${problem}`)
    return undefined
  }
  const optional = (name: string, configured: Configured | undefined) =>
    configured === undefined ? undefined : read(name, configured)
  const byMethod = Object.entries(rpc).flatMap(([method, configured]) => {
    const endpoint = read(`rpc "${method}"`, configured)
    return endpoint === undefined ? [] : [[method, endpoint] as const]
  })
  const endpoints = new Endpoints(
    new Map(byMethod),
    optional('send', send),
    optional('connect', connect),
  )
  return problems[0] ?? endpoints
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
