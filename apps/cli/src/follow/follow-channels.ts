import type { TokenSource } from '@portcullis/client'
import type { PublicationContext } from 'centrifuge'
import { CliError } from '../errors.js'
import { printable } from '../output/printable.js'
import { publicationLine } from '../output/publication.js'
import type { Session } from '../session/session.js'
import { connectTo, leave } from './node-connection.js'
import { watchConnection } from './watch-connection.js'

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
  const centrifuge = connectTo(url, tokens)
  const stopListening = { current: () => {} }
  try {
    await new Promise<void>((resolve, reject) => {
      stopListening.current = shell.onStop(resolve)
      watchConnection(centrifuge, {
        url,
        tokens,
        reject,
        connected(client) {
          if (out.json) {
            event(session, 'connected', { client, url })
          } else {
            out.note(`connected to ${url}; Ctrl-C ends`)
          }
        },
        connecting(code, reason) {
          if (out.json) {
            event(session, 'connecting', { code, reason })
          } else {
            out.note(`connection lost (${code} ${reason}); connecting again`)
          }
        },
        closed(code, reason) {
          if (out.json) {
            event(session, 'closed', { code, reason })
          }
        },
      })
      for (const channel of channels) {
        const subscription = centrifuge.newSubscription(channel)
        subscription.on('publication', (publication) => showPublication(session, publication))
        subscription.on('subscribed', () => {
          if (out.json) {
            event(session, 'subscribed', { channel })
          } else {
            out.note(`subscribed to ${channel}`)
          }
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
    leave(centrifuge)
  }
}

function showPublication({ out }: Session, { channel, ...publication }: PublicationContext): void {
  if (out.json) {
    event({ out }, 'publication', { channel, ...publication })
  } else {
    out.line(publicationLine(out, channel, publication.data))
  }
}

/** One line of JSON for programs; `at` in Unix milliseconds. */
function event({ out }: Pick<Session, 'out'>, name: string, details: object): void {
  out.show({ event: name, at: Date.now(), ...details }, () => '')
}
