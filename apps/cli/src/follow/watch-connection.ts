import type { TokenSource } from '@portcullis/client'
import type { Centrifuge } from 'centrifuge'
import { CliError } from '../errors.js'
import { printable } from '../output/printable.js'

export interface ConnectionWatch {
  url: string
  tokens: TokenSource
  /** Called at each connection, with the client id that the server assigned. */
  connected(client: string): void
  /** Called when an established connection is lost; the client reconnects. */
  connecting(code: number, reason: string): void
  /** Called before `reject` when the connection is closed for good. */
  closed(code: number, reason: string): void
  /**
   * Called with the final error: `refused` when the server does not admit the client or closes the
   * connection for good, `failed` when the first connection cannot be made.
   */
  reject(error: CliError): void
}

/** Reports the state of a client's connection. The client itself reconnects after the first connection. */
export function watchConnection(centrifuge: Centrifuge, watch: ConnectionWatch): void {
  const { url, tokens, reject } = watch
  let connectedOnce = false
  centrifuge.on('connected', ({ client }) => {
    connectedOnce = true
    watch.connected(client)
  })
  centrifuge.on('connecting', ({ code, reason }) => {
    if (connectedOnce) {
      watch.connecting(code, reason)
    }
  })
  centrifuge.on('disconnected', ({ code, reason }) => {
    watch.closed(code, reason)
    const noToken = tokens.ended
    if (code === 1 && noToken !== undefined) {
      reject(new CliError('refused', `no token: ${printable(noToken.message)}`))
    } else {
      reject(new CliError('refused', `closed ${code} ${printable(reason)}`))
    }
  })
  centrifuge.on('error', ({ type, error }) => {
    const { code, message } = error
    // A 403, or a 401 for the first token, will not change with another attempt.
    if (type === 'upgrade' && (code === 403 || (code === 401 && !connectedOnce))) {
      reject(new CliError('refused', refusals[code] ?? message))
    } else if (type !== 'token' && !connectedOnce) {
      reject(firstFailure(type, code, message, url))
    }
  })
}

const refusals: Readonly<Record<number, string>> = {
  401: 'refused 401: the token is revoked, expired, or from another installation',
  403: 'refused 403: the token does not permit connecting',
}

function firstFailure(type: string, code: number, message: string, url: string): CliError {
  if (type === 'connectToken') {
    return new CliError('failed', `no token: ${printable(message)}`)
  }
  if (type === 'upgrade') {
    return new CliError('failed', `${url} answered HTTP ${code}; it accepts no connections now`)
  }
  if (type === 'transport') {
    const hint = 'start a realtime node (npm start runs two), or give another URL with --url'
    return new CliError('failed', `cannot connect to ${url}; ${hint}`)
  }
  return new CliError('failed', `${url}: ${code} ${printable(message)}`)
}
