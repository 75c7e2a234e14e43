import { connect, type TokenSource } from '@portcullis/client'
import type { Centrifuge } from 'centrifuge'
import { dialNode } from '../installation/tls.js'

/** The official client, on its way to a realtime node. */
export function connectTo(url: string, tokens: TokenSource): Centrifuge {
  return connect(url, { tokens, dial: dialNode(), name: 'portcullis-cli' })
}

/** Ends a connection whose events nobody wants any more; an error without a listener would be thrown. */
export function leave(centrifuge: Centrifuge): void {
  centrifuge.removeAllListeners()
  centrifuge.on('error', () => undefined)
  centrifuge.disconnect()
}
