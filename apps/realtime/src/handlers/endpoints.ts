import { type Static, Type } from '@sinclair/typebox'
import { readJson } from '../config/read-json.js'

const Configured = Type.Union([
  Type.String(),
  Type.Object(
    {
      url: Type.String(),
      /** It gets every payload as bytes, in base64. */
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

/** Where one of an application's handlers is. */
export interface Endpoint {
  /** What people read in the log: a URL may have a key in its query. */
  readonly name: string
  readonly url: URL
  readonly binary: boolean
}

/** An application's handlers: for `rpc` by exact method, else by its namespace, else the default. */
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

  /** `billing` of `billing:refund` is a method's namespace, as it is a channel's. */
  rpc(method: string): Endpoint | undefined {
    const namespace = method.slice(0, Math.max(0, method.indexOf(':')))
    return this.#byMethod.get(method) ?? this.#byMethod.get(namespace) ?? this.#byMethod.get('')
  }
}

/**
 * Reads handlers as they are configured: a JSON object of URLs.
 *
 * @returns what is wrong with it, when something is; without its values, which may be secrets
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
    return 'is no http:// or https:// URL'
  }
  if (url.username !== '' || url.password !== '') {
    return 'must carry no credentials; HANDLER_SECRET is for them'
  }
  return url.hash === '' ? undefined : 'must have no fragment'
}
