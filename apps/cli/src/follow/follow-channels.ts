import type { TokenSource } from '@portcullis/client'
import type { Centrifuge, PublicationContext } from 'centrifuge'
import { CliError } from '../errors.js'
import { printable } from '../output/printable.js'
import { publicationLine } from '../output/publication.js'
import type { Session } from '../session/session.js'
import { closeConnection, openConnection } from './open-connection.js'
import { type ConnectionWatch, watchConnection } from './watch-connection.js'

export interface Follow {
  url: string
  channels: readonly string[]
  tokens: TokenSource
}

/**
 * Subscribes to the channels and prints publications until Ctrl-C.
 *
 * @throws CliError `refused` when the server does not admit the client or closes the connection for
 * good, `failed` when the first connection cannot be made. Later interruptions are retried.
 */
export async function followChannels(session: Session, follow: Follow): Promise<void> {
  const { url, channels, tokens } = follow
  const centrifuge = openConnection(url, tokens)
  const stopListening = { current: () => {} }
  try {
    await new Promise<void>((resolve, reject) => {
      stopListening.current = session.shell.onStop(resolve)
      watchConnection(centrifuge, { url, tokens, reject, ...connectionEvents(session, url) })
      for (const channel of channels) {
        subscribe(session, centrifuge, channel, reject)
      }
    })
  } finally {
    stopListening.current()
    closeConnection(centrifuge)
  }
}

/** Prints the state of the connection: JSON events with `--json`, otherwise remarks. */
function connectionEvents(
  { out }: Session,
  url: string,
): Pick<ConnectionWatch, 'connected' | 'connecting' | 'closed'> {
  return {
    connected(client) {
      if (out.json) {
        showEvent(out, 'connected', { client, url })
      } else {
        out.note(`connected to ${url}; stop with Ctrl-C`)
      }
    },
    connecting(code, reason) {
      if (out.json) {
        showEvent(out, 'connecting', { code, reason })
      } else {
        out.note(`connection lost (${code} ${reason}); reconnecting`)
      }
    },
    closed(code, reason) {
      if (out.json) {
        showEvent(out, 'closed', { code, reason })
      }
    },
  }
}

function subscribe(
  { out }: Session,
  centrifuge: Centrifuge,
  channel: string,
  reject: (error: CliError) => void,
): void {
  const subscription = centrifuge.newSubscription(channel)
  subscription.on('publication', (publication) => showPublication(out, publication))
  subscription.on('subscribed', () => {
    if (out.json) {
      showEvent(out, 'subscribed', { channel })
    } else {
      out.note(`subscribed to ${channel}`)
    }
  })
  subscription.on('unsubscribed', ({ code, reason }) => {
    // This client never unsubscribes, so the server did.
    const why = `${code} ${printable(reason)}`
    reject(new CliError('refused', `cannot subscribe to ${channel}: ${why}`))
  })
  subscription.on('error', ({ error }) => {
    out.note(`${channel}: ${error.code} ${error.message}; retrying`)
  })
  subscription.subscribe()
}

type Out = Session['out']

function showPublication(out: Out, { channel, ...publication }: PublicationContext): void {
  if (out.json) {
    showEvent(out, 'publication', { channel, ...publication })
  } else {
    out.line(publicationLine(out, channel, publication.data))
  }
}

/** Prints one line of JSON; `at` is in Unix milliseconds. */
function showEvent(out: Out, name: string, details: object): void {
  out.show({ event: name, at: Date.now(), ...details }, () => '')
}
