import type { TokenSource } from '@portcullis/client'
import type { Centrifuge } from 'centrifuge'
import { CliError } from '../errors.js'
import { printable } from '../output/printable.js'

export interface ConnectionWatch {
  url: string
  tokens: TokenSource
  /** Called whenever there is a connection, with the id that the server gave it. */
  connected(client: string): void
  /** Called when a connection that there was is lost, and another is being made. */
  connecting(code: number, reason: string): void
  /** Called when there will be no other, before `reject`. */
  closed(code: number, reason: string): void
  /**
   * Called with what ends it: `refused` when the server closes it for good or does not admit it,
   * `failed` when no first connection can be made.
   */
  reject(error: CliError): void
}

/** Tells what becomes of a client's connection. Breaks after the first one are retried by the client. */
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
    const stopped = tokens.ended
    if (code === 1 && stopped !== undefined) {
      reject(new CliError('refused', `no token: ${printable(stopped.message)}`))
    } else {
      reject(new CliError('refused', `closed ${code} ${printable(reason)}`))
    }
  })
  centrifuge.on('error', ({ type, error }) => {
    const { code, message } = error
    // Refused for this token or this caller, whatever came before.
    if (type === 'upgrade' && (code === 403 || (code === 401 && !connectedOnce))) {
      reject(new CliError('refused', refusals[code] ?? message))
    } else if (type !== 'token' && !connectedOnce) {
      reject(firstFailure(type, code, message, url))
    }
  })
}

const refusals: Readonly<Record<number, string>> = {
  401: 'refused 401: the token is revoked, has ended, or is not one of this installation',
  403: 'refused 403: the token does not permit connecting',
}

function firstFailure(type: string, code: number, message: string, url: string): CliError {
  if (type === 'connectToken') {
    return new CliError('failed', `no token: ${printable(message)}`)
  }
  if (type === 'upgrade') {
    return new CliError('failed', `${url} answers HTTP ${code}: it cannot admit anyone now`)
  }
  if (type === 'transport') {
    const hint = 'is a realtime node running there? npm start runs two; --url names another'
    return new CliError('failed', `cannot open ${url}: ${hint}`)
  }
  return new CliError('failed', `${url}: ${code} ${printable(message)}`)
}
