import type { TokenSource } from '@portcullis/client'
import type { CliError } from '../errors.js'
import { closeConnection, openConnection } from '../follow/open-connection.js'
import { watchConnection } from '../follow/watch-connection.js'
import type { RealtimeUrl } from '../installation/realtime-url.js'
import { type Check, failed, ok } from './check.js'

const timeoutMs = 10_000

/** Opens a WebSocket to a node with a token, speaks the client protocol, and closes it. */
export async function checkSocket(
  name: string,
  { socket: url }: RealtimeUrl,
  tokens: TokenSource,
): Promise<Check> {
  const centrifuge = openConnection(url, tokens)
  let timer: NodeJS.Timeout | undefined
  const opened = await new Promise<true | string>((resolve) => {
    timer = setTimeout(() => resolve(`no connection within ${timeoutMs / 1000} s`), timeoutMs)
    watchConnection(centrifuge, {
      url,
      tokens,
      connected: () => resolve(true),
      connecting: () => undefined,
      closed: () => undefined,
      reject: (error: CliError) => resolve(error.message),
    })
  })
  clearTimeout(timer)
  closeConnection(centrifuge)
  if (opened === true) {
    return ok(name, 'opens with your token')
  }
  const advice = 'a proxy in front of it must forward the upgrade and the Authorization header'
  return failed(name, opened, advice)
}
