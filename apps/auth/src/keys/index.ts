export { KeySetError, type KeySetErrorCode } from './errors.js'
export { type KeySet, type OpenKeySet, openKeySet, type PublicJwk } from './open-key-set.js'
