import { Identity } from '@portcullis/contracts/identities'
import type { AuthApi } from '../../api/auth-api.js'
import { identityPath } from '../../api/identity-path.js'
import { previewRevocation } from '../../api/preview-revocation.js'
import { identityText } from '../../output/identity.js'
import type { Output } from '../../output/output.js'

/** Returns text that shows the identity and the tokens that suspending or deleting it revokes. */
export async function previewIdentity(
  out: Output,
  auth: AuthApi,
  identity: string,
): Promise<string> {
  const [found, revocation] = await Promise.all([
    auth.call(Identity, identityPath(identity)),
    previewRevocation(out, auth, { identity }),
  ])
  return `${identityText(out, found)}\n\n${revocation}`
}
