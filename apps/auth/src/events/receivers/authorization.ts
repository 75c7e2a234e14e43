import type { PushDelivery } from '@portcullis/contracts/event-receivers'
import type { Static } from '@sinclair/typebox'
import { KeySetError } from '../../keys/errors.js'
import { seal, unseal } from '../../keys/seal.js'
import type { StoredPush } from '../../registry/index.js'

/** Binds a sealed header to its endpoint: a header sealed for one does not open for another. */
const boundTo = (endpoint: string) => `event-receiver ${endpoint}`

/** Returns the stored form of a push delivery: its Authorization header is encrypted if a secret is set. */
export async function sealDelivery(
  secret: string | undefined,
  { method, endpoint_url, authorization_header: header }: Static<typeof PushDelivery>,
): Promise<StoredPush> {
  const delivery = { method, endpoint_url }
  if (header === undefined) {
    return delivery
  }
  const authorization =
    secret === undefined ? header : await seal(secret, boundTo(endpoint_url), header)
  return { ...delivery, authorization }
}

/** The secrets that a stored header may be sealed with. */
export interface Secrets {
  secret: string | undefined
  previous: string | undefined
}

/**
 * Returns the Authorization header of a stored push delivery.
 *
 * @throws KeySetError `secret_wrong`, `secret_missing`
 */
export async function openAuthorization(
  { secret, previous }: Secrets,
  { endpoint_url, authorization }: StoredPush,
): Promise<string | undefined> {
  if (authorization === undefined || typeof authorization === 'string') {
    return authorization
  }
  if (secret === undefined) {
    throw new KeySetError(
      'secret_missing',
      'the stored header is encrypted; set KEY_ENCRYPTION_SECRET',
    )
  }
  const open = (by: string) => unseal(by, boundTo(endpoint_url), authorization)
  return open(secret).catch((error) => {
    if (previous === undefined) {
      throw error
    }
    return open(previous)
  })
}
