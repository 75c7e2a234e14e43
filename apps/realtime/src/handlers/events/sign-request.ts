import { createHmac } from 'node:crypto'

/**
 * Returns the headers by which a backend verifies a request, in the form of Standard Webhooks: an
 * HMAC-SHA256 of id, time and body with the bytes of the secret as its key. Empty without a secret.
 *
 * @param id - the same when the request is repeated
 */
export function signRequest(
  secret: string | undefined,
  id: string,
  body: string,
  nowMs = Date.now(),
): Record<string, string> {
  if (secret === undefined) {
    return {}
  }
  const timestamp = `${Math.floor(nowMs / 1000)}`
  const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${mac}`,
  }
}
