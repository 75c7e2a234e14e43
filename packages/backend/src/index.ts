export {
  type AuthClient,
  type AuthClientOptions,
  authClient,
  type RevocationTarget,
  type RevokeOptions,
} from './auth-client.js'
export { BackendError, type BackendErrorCode } from './errors.js'
export type { Credentials } from './own-token.js'
