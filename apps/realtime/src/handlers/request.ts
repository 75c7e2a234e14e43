import { bytesOfData, type Data, JsonText, jsonOfBytes, writeJson } from '@portcullis/protocol'
import type { HandlerCall } from '../connection/handlers.js'

/** Returns the headers of a request to the application. */
export function requestHeaders(secret: string | undefined): Record<string, string> {
  return {
    accept: 'application/json',
    'content-type': 'application/json',
    ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
  }
}

/**
 * Returns the body of a call, in the format of this protocol's other servers; `identity` and
 * `scope` are additions of ours. The token is not included.
 */
export function requestBody(
  {
    client,
    transport,
    user,
    identity,
    scope,
    protocol,
    data,
    method,
    channel,
    name,
    version,
  }: HandlerCall,
  binary: boolean,
): string {
  return writeJson({
    client,
    transport,
    protocol,
    user,
    identity,
    scope,
    method,
    channel,
    name,
    version,
    ...payload(data, binary),
  })
}

/** Encodes data as JSON if possible, unless the handler is configured for bytes. */
function payload(data: Data | undefined, binary: boolean): object {
  if (data === undefined) {
    return { encoding: binary ? 'binary' : 'json' }
  }
  const json = data instanceof JsonText ? data : jsonOfBytes(data)
  if (json !== undefined && !binary) {
    return { encoding: 'json', data: json }
  }
  return { encoding: 'binary', b64data: bytesOfData(data).toString('base64') }
}
