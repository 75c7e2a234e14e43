import { ProtocolError } from '../errors.js'
import { type Command, checks, isMethod, type Method, maxCommandId } from './commands.js'

/**
 * Reads one command from its object, in whatever form that came.
 *
 * @throws ProtocolError not_a_command
 */
export function readCommand(value: Record<string, unknown>): Command {
  const keys = Object.keys(value)
  if (keys.length === 0) {
    return { method: 'pong' }
  }
  const named = keys.filter(isMethod)
  const [method] = named
  if (method === undefined || named.length > 1) {
    throw new ProtocolError('not_a_command', 'a command names exactly one known method')
  }
  const body = value[method]
  const id = value['id'] ?? 0
  if (method === 'send' && id === 0) {
    return checks.send.Check(body) ? { method, body } : reject('send carries an object')
  }
  if (!isId(id)) {
    return reject(`id is an integer from 1 to ${maxCommandId}`)
  }
  return method === 'send' ? reject('send has no id') : request(method, id, body)
}

function request(method: Exclude<Method, 'send'>, id: number, body: unknown): Command {
  // One arm for each name keeps the body's type tied to it, without a cast.
  switch (method) {
    case 'connect':
      if (checks.connect.Check(body)) {
        return { method, id, body }
      }
      break
    case 'refresh':
      if (checks.refresh.Check(body)) {
        return { method, id, body }
      }
      break
    case 'subscribe':
      if (checks.subscribe.Check(body)) {
        return { method, id, body }
      }
      break
    case 'history':
      if (checks.history.Check(body)) {
        return { method, id, body }
      }
      break
    case 'sub_refresh':
      if (checks.sub_refresh.Check(body)) {
        return { method, id, body }
      }
      break
    case 'publish':
      if (checks.publish.Check(body)) {
        return { method, id, body }
      }
      break
    case 'rpc':
      if (checks.rpc.Check(body)) {
        return { method, id, body }
      }
      break
    default:
      if (checks[method].Check(body)) {
        return { method, id, body }
      }
  }
  return { method: 'malformed', id, of: method }
}

function isId(id: unknown): id is number {
  return Number.isInteger(id) && typeof id === 'number' && id >= 1 && id <= maxCommandId
}

function reject(detail: string): never {
  throw new ProtocolError('not_a_command', detail)
}
