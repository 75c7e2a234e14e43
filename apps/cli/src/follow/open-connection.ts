import { connect, type TokenSource } from '@portcullis/client'
import type { Centrifuge } from 'centrifuge'
import { dialNode } from '../installation/tls.js'

/** Connects the official client to a realtime node. */
export function openConnection(url: string, tokens: TokenSource): Centrifuge {
  return connect(url, { tokens, dial: dialNode(), name: 'portcullis-cli' })
}

/** Closes the connection and ignores its later events. */
export function closeConnection(centrifuge: Centrifuge): void {
  centrifuge.removeAllListeners()
  // An 'error' event without a listener would be thrown.
  centrifuge.on('error', () => undefined)
  centrifuge.disconnect()
}
