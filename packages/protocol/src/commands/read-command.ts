import { ProtocolError } from '../errors.js'
import type { Data } from '../messages/data.js'
import {
  type Command,
  type CommandBodies,
  checks,
  type DataMethod,
  isMethod,
  type Malformed,
  type Method,
  maxCommandId,
  type Request,
  type RequestMethod,
} from './commands.js'

/**
 * Returns the data of a command's body, unchanged; undefined when it must be refused.
 *
 * @param decoded - the decoded data, which is not undefined
 */
export type ReadData = (method: DataMethod, decoded: unknown) => Data | undefined

/**
 * Returns the command in an object, which either form of the protocol may have decoded.
 *
 * @throws ProtocolError not_a_command
 */
export function readCommand(value: Record<string, unknown>, readData: ReadData): Command {
  const keys = Object.keys(value)
  if (keys.length === 0) {
    return { method: 'pong' }
  }
  const named = keys.filter(isMethod)
  const [method] = named
  if (method === undefined || named.length > 1) {
    throw new ProtocolError('not_a_command', 'a command must name exactly one known method')
  }
  const body = hasData(method) ? withData(method, value[method], readData) : value[method]
  const id = value['id'] ?? 0
  if (method === 'send' && id === 0) {
    return checks.send.Check(body) ? { method, body } : reject('send must have an object')
  }
  if (!isId(id)) {
    return reject(`id must be an integer from 1 to ${maxCommandId}`)
  }
  return method === 'send' ? reject('send must have no id') : request(method, id, body)
}

/** Returns true when a value is a valid body of the command. */
type BodyCheck<M extends RequestMethod> = (body: unknown) => body is CommandBodies[M]

const isValid: { readonly [M in RequestMethod]: BodyCheck<M> } = {
  connect: (body) => checks.connect.Check(body),
  refresh: (body) => checks.refresh.Check(body),
  subscribe: (body) => checks.subscribe.Check(body),
  unsubscribe: (body) => checks.unsubscribe.Check(body),
  publish: (body) => checks.publish.Check(body),
  presence: (body) => checks.presence.Check(body),
  presence_stats: (body) => checks.presence_stats.Check(body),
  history: (body) => checks.history.Check(body),
  sub_refresh: (body) => checks.sub_refresh.Check(body),
  rpc: (body) => checks.rpc.Check(body),
}

const dataMethods: ReadonlySet<Method> = new Set<DataMethod>([
  'publish',
  'subscribe',
  'rpc',
  'send',
  'connect',
])

function hasData(method: Method): method is DataMethod {
  return dataMethods.has(method)
}

/** Returns the body with its data unchanged; undefined when the data must be refused. */
function withData(method: DataMethod, body: unknown, readData: ReadData): unknown {
  if (typeof body !== 'object' || body === null || !('data' in body) || body.data === undefined) {
    return body
  }
  const data = readData(method, body.data)
  return data && { ...body, data }
}

function request<M extends RequestMethod>(
  method: M,
  id: number,
  body: unknown,
): Request<M> | Malformed {
  const check: BodyCheck<M> = isValid[method]
  if (!check(body)) {
    return { method: 'malformed', id, of: method }
  }
  const command: Request<M> = { method, id, body }
  return command
}

function isId(id: unknown): id is number {
  return Number.isInteger(id) && typeof id === 'number' && id >= 1 && id <= maxCommandId
}

function reject(detail: string): never {
  throw new ProtocolError('not_a_command', detail)
}
