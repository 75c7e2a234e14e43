import { bytesOfContent, valueOfBytes } from '@portcullis/protocol'
import type { Call } from '../connection/handlers.js'

/**
 * The body that a handler reads, with the fields and names that handlers of this protocol's other
 * servers know; `identity` and `scope` are ours. The token is not in it.
 *
 * @throws RangeError when `data` is nested too deep to be written
 */
export function requestBody(
  { client, user, identity, scope, protocol, data, method, name, version }: Call,
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

/** JSON as `data` if it is any, and the handler has not asked for bytes. */
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
