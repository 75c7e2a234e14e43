import { bytesOfContent, valueOfBytes } from '@portcullis/protocol'
import type { HandlerCall } from '../connection/handlers.js'

/**
 * Returns the body of a call, in the format of this protocol's other servers; `identity` and
 * `scope` are additions of ours. The token is not included.
 *
 * @throws RangeError when `data` is nested too deep to be written as JSON
 */
export function requestBody(
  { client, user, identity, scope, protocol, data, method, name, version }: HandlerCall,
  binary: boolean,
): string {
  return JSON.stringify({
    client,
    transport: 'websocket',
    protocol,
    user,
    identity,
    scope,
    method,
    name,
    version,
    ...payload(data, binary),
  })
}

/** Encodes data as JSON if possible, unless the handler is configured for bytes. */
function payload(data: unknown, binary: boolean): object {
  if (data === undefined) {
    return { encoding: binary ? 'binary' : 'json' }
  }
  const json = data instanceof Uint8Array ? valueOfBytes(data) : { value: data }
  if (json !== undefined && !binary) {
    return { encoding: 'json', data: json.value }
  }
  const bytes = data instanceof Uint8Array ? Buffer.from(data) : bytesOfContent({ data })
  return { encoding: 'binary', b64data: bytes.toString('base64') }
}
