import { type Command, disconnectCodes, type Request, replyErrors } from '@portcullis/protocol'
import type { Connection } from '../connection.js'
import { connect } from './connect.js'
import { history } from './history.js'
import { presence, presenceStats } from './presence.js'
import { publish } from './publish.js'
import { refresh } from './refresh.js'
import { rpc } from './rpc.js'
import { send } from './send.js'
import { subRefresh } from './sub-refresh.js'
import { subscribe } from './subscribe.js'
import { unsubscribe } from './unsubscribe.js'

/** Handles one command of a connection that is not deciding about its `connect`. */
export function dispatch(connection: Connection, command: Command): void {
  if (command.method === 'connect') {
    underWay(connection, connect(connection, command.id, command.body))
  } else if (connection.state !== 'connected') {
    // `connect` comes first, well formed.
    connection.end(disconnectCodes.badRequest)
  } else if (command.method === 'pong') {
    connection.pong()
  } else if (command.method === 'malformed') {
    connection.fail(command.id, replyErrors.badRequest)
  } else if (command.method === 'send') {
    // Nobody waits for it: what is too much is not told.
    if (mayBegin(connection)) {
      underWay(connection, send(connection, command.body))
    }
  } else {
    request(connection, command)
  }
}

function request(connection: Connection, command: Exclude<Request, { method: 'connect' }>): void {
  if (!mayBegin(connection)) {
    connection.fail(command.id, replyErrors.tooManyRequests)
    return
  }
  switch (command.method) {
    case 'subscribe':
      underWay(connection, subscribe(connection, command.id, command.body))
      break
    case 'publish':
      underWay(connection, publish(connection, command.id, command.body))
      break
    case 'history':
      underWay(connection, history(connection, command.id, command.body))
      break
    case 'presence':
      underWay(connection, presence(connection, command.id, command.body))
      break
    case 'presence_stats':
      underWay(connection, presenceStats(connection, command.id, command.body))
      break
    case 'refresh':
      underWay(connection, refresh(connection, command.id, command.body))
      break
    case 'unsubscribe':
      unsubscribe(connection, command.id, command.body)
      break
    case 'rpc':
      underWay(connection, rpc(connection, command.id, command.body))
      break
    case 'sub_refresh':
      underWay(connection, subRefresh(connection, command.id, command.body))
      break
  }
}

function mayBegin({ pending, node }: Connection): boolean {
  return pending < node.limits.pendingCommands
}

/** Counts a command until it is done. An error that it does not answer itself ends the connection. */
function underWay(connection: Connection, work: Promise<void>): void {
  connection.pending += 1
  work
    .catch((error) => connection.fault(error))
    .finally(() => {
      connection.pending -= 1
    })
}
