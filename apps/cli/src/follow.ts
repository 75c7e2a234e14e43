import { connect, type TokenSource } from '@portcullis/client'
import { dialWithHeader } from '@portcullis/client/node'
import type { Centrifuge, PublicationContext } from 'centrifuge'
import { WebSocket } from 'ws'
import { CliError } from './errors.js'
import { printable } from './output/printable.js'
import { clock } from './output/time.js'
import type { Session } from './session.js'

export interface Follow {
  url: string
  channels: readonly string[]
  tokens: TokenSource
}

/**
 * Subscribes and shows publications; ends when the person stops it.
 *
 * @throws CliError `refused` when the server closes it for good or does not admit it, `failed` when
 * no first connection can be made. Later breaks are retried, as the official client does.
 */
export async function follow(session: Session, { url, channels, tokens }: Follow): Promise<void> {
  const { out, shell } = session
  const centrifuge = connect(url, {
    tokens,
    dial: dialWithHeader(WebSocket),
    name: 'portcullis-cli',
  })
  const stopListening = { current: () => {} }
  try {
    await new Promise<void>((resolve, reject) => {
      stopListening.current = shell.onStop(resolve)
      watchConnection(centrifuge, { session, url, tokens, reject })
      for (const channel of channels) {
        const subscription = centrifuge.newSubscription(channel)
        subscription.on('publication', (publication) => showPublication(session, publication))
        subscription.on('subscribed', () => {
          if (out.json) event(session, 'subscribed', { channel })
          else out.note(`subscribed to ${channel}`)
        })
        subscription.on('unsubscribed', ({ code, reason }) => {
          // Of its own accord it never unsubscribes: the server did.
          const why = `${code} ${printable(reason)}`
          reject(new CliError('refused', `cannot subscribe to ${channel}: ${why}`))
        })
        subscription.on('error', ({ error }) => {
          out.note(`${channel}: ${error.code} ${error.message}; trying again`)
        })
        subscription.subscribe()
      }
    })
  } finally {
    stopListening.current()
    centrifuge.removeAllListeners()
    centrifuge.on('error', () => undefined)
    centrifuge.disconnect()
  }
}

interface Watch {
  session: Session
  url: string
  tokens: TokenSource
  reject: (error: CliError) => void
}

function watchConnection(centrifuge: Centrifuge, { session, url, tokens, reject }: Watch): void {
  const { out } = session
  let connectedOnce = false
  centrifuge.on('connected', ({ client }) => {
    connectedOnce = true
    if (out.json) event(session, 'connected', { client, url })
    else out.note(`connected to ${url}; Ctrl-C ends`)
  })
  centrifuge.on('connecting', ({ code, reason }) => {
    if (!connectedOnce) return
    if (out.json) event(session, 'connecting', { code, reason })
    else out.note(`connection lost (${code} ${reason}); connecting again`)
  })
  centrifuge.on('disconnected', ({ code, reason }) => {
    if (out.json) event(session, 'closed', { code, reason })
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
  if (type === 'connectToken') return new CliError('failed', `no token: ${printable(message)}`)
  if (type === 'upgrade') {
    return new CliError('failed', `${url} answers HTTP ${code}: it cannot admit anyone now`)
  }
  if (type === 'transport') {
    const hint = 'is a realtime node running there? npm start runs two; --url names another'
    return new CliError('failed', `cannot open ${url}: ${hint}`)
  }
  return new CliError('failed', `${url}: ${code} ${printable(message)}`)
}

function showPublication(session: Session, { channel, ...publication }: PublicationContext): void {
  if (session.out.json) {
    event(session, 'publication', { channel, ...publication })
    return
  }
  const { paint } = session.out
  // JSON leaves some control characters as they are.
  const data = printable(JSON.stringify(publication.data))
  session.out.line(`${paint.dim(clock(Date.now()))}  ${paint.cyan(printable(channel))}  ${data}`)
}

/** One line of JSON for programs; `at` in Unix milliseconds. */
function event({ out }: Session, name: string, details: object): void {
  out.show({ event: name, at: Date.now(), ...details }, () => '')
}
