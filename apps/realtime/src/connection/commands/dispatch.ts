import {
  type Command,
  type CommandBodies,
  type Request,
  type RequestMethod,
  replyErrors,
} from '@portcullis/protocol'
import type { Session } from '../session.js'
import type { Connected } from '../state.js'
import type { ChannelTurn } from './channel-order.js'
import { history } from './history.js'
import { presence, presenceStats } from './presence.js'
import { publish } from './publish.js'
import { refresh } from './refresh.js'
import { rpc } from './rpc.js'
import { send } from './send.js'
import { subRefresh } from './sub-refresh.js'
import { subscribe } from './subscribe.js'
import { unsubscribe } from './unsubscribe.js'

/** A request of a connected client. */
type Method = Exclude<RequestMethod, 'connect'>

type Handlers = {
  readonly [M in Method]: (
    session: Session,
    id: number,
    body: CommandBodies[M],
    state: Connected,
  ) => Promise<void> | undefined
}

/** The handler of each request, which sends the reply. */
const handlers: Handlers = {
  subscribe,
  unsubscribe,
  publish,
  history,
  presence,
  presence_stats: presenceStats,
  refresh,
  sub_refresh: subRefresh,
  rpc,
}

/** The turns of the commands that name a channel. Other commands do not wait for earlier ones. */
const channelTurns: { readonly [M in Method]?: ChannelTurn } = {
  subscribe: 'alone',
  unsubscribe: 'leave',
  publish: 'publish',
  history: 'read',
  presence: 'read',
  presence_stats: 'read',
  sub_refresh: 'alone',
}

/** Handles one command of a connected client. */
export function dispatch(
  session: Session,
  command: Exclude<Command, { method: 'connect' }>,
  state: Connected,
): void {
  switch (command.method) {
    case 'pong':
      state.pulse.pong()
      break
    case 'malformed':
      session.fail(command.id, replyErrors.badRequest)
      break
    case 'send':
      // `send` has no reply, so one above the limit is dropped.
      if (mayBegin(session)) {
        track(session, send(session, command.body))
      }
      break
    default:
      if (mayBegin(session)) {
        request(session, command, state)
      } else {
        session.fail(command.id, replyErrors.tooManyRequests)
      }
  }
}

function request<M extends Method>(session: Session, command: Request<M>, state: Connected): void {
  const handler: Handlers[M] = handlers[command.method]
  const start = () =>
    session.closed ? undefined : handler(session, command.id, command.body, state)
  const { body } = command
  const work = 'channel' in body ? inTurn(session, command.method, body.channel, start) : start()
  if (work !== undefined) {
    track(session, work)
  }
}

function inTurn(
  { node, order }: Session,
  method: Method,
  channel: string,
  start: () => Promise<void> | undefined,
): Promise<void> | undefined {
  const turn = channelTurns[method]
  if (turn === undefined) {
    return start()
  }
  // The handler may answer for a later publication first.
  const isAsked = turn === 'publish' && node.handlers.publish(channel) !== undefined
  return order.run(channel, isAsked ? 'alone' : turn, start)
}

function mayBegin({ commandsInFlight, node }: Session): boolean {
  return commandsInFlight < node.limits.commandsInFlight
}

/** Counts a command until it is done. An error that the command does not handle ends the connection. */
export function track(session: Session, work: Promise<void>): void {
  session.commandsInFlight += 1
  work
    .catch((error) => session.fault(error))
    .finally(() => {
      session.commandsInFlight -= 1
    })
}
