import type { TokenNeed } from '../../api/auth-api.js'

/** Only `admin` may manage receivers; the identity of a receiver may show and verify its own. */
export const receiverNeed: TokenNeed = { scope: 'admin', orAll: true }
