import { defined } from '@portcullis/contracts/defined'
import { Receipt, type Revoke } from '@portcullis/contracts/revocations'
import { type IssueToken, TokenResponse } from '@portcullis/contracts/tokens'
import { Value } from '@sinclair/typebox/value'
import { AuthHttp, type AuthHttpOptions, type AuthRequest } from './auth-http.js'
import { BackendError } from './errors.js'
import { type Credentials, OwnToken } from './own-token.js'

export interface AuthClientOptions extends AuthHttpOptions {
  credentials: Credentials
}

/** Which tokens to revoke: one token, or all those of a user or with a label. */
export type RevocationTarget =
  | {
      /** A token or its id (`jti`). */
      token: string
      /** Also revokes the tokens that were issued with this one. */
      cascade?: true
    }
  | { subject: string; identity?: string }
  | { label: string; identity?: string }

export interface RevokeOptions extends Pick<Revoke, 'issuedBefore' | 'reason' | 'replicas'> {
  /** Milliseconds to wait until the receipt is complete; default: 30 000. */
  receiptTimeoutMs?: number
}

/** Issues and revokes the tokens of an application's users. */
export interface AuthClient {
  /**
   * Issues a token for a user (`POST /v1/tokens`), who is its `subject`. With `channel` it is the token
   * of one subscription. Returns what a browser's `tokenSource` and `channelToken` expect; `expires_in`
   * is in seconds, and at most what is left of the backend's own token. Needs the scope `tokens:issue`.
   *
   * @throws BackendError
   */
  issueToken(order: IssueToken): Promise<TokenResponse>
  /**
   * Revokes tokens (`POST /v1/revocations`), and waits until the receipt is complete: the tokens then
   * have no effect and receive nothing, at every node. `identity` is by default the backend's own. Needs
   * the scope `tokens:revoke`.
   *
   * @throws BackendError `incomplete` when the receipt is not complete in time; the revocation has
   * taken effect all the same, and `awaitReceipt` waits on. After any other error it may have taken
   * effect: revoke again.
   */
  revoke(target: RevocationTarget & RevokeOptions): Promise<Receipt>
  /** Waits until the receipt of a revocation is complete. @throws BackendError */
  awaitReceipt(id: string, options?: { receiptTimeoutMs?: number }): Promise<Receipt>
}

/** Milliseconds that auth waits for a receipt before it answers. */
const maxWaitMs = 5000

/** Between two requests for a receipt, in milliseconds. */
const pollMs = 250

/**
 * Returns a client of auth for a backend. It fetches the backend's own token when it first needs it, and
 * renews it. Nothing has to be closed.
 *
 * @throws TypeError when an option cannot be used
 */
export function authClient({ credentials, ...http }: AuthClientOptions): AuthClient {
  const auth = new AuthHttp(http)
  const own = new OwnToken(auth, credentials)

  async function call(request: Omit<AuthRequest, 'authorization'>): Promise<unknown> {
    const token = await own.get()
    const send = (token: string) => auth.send({ ...request, authorization: `Bearer ${token}` })
    try {
      return await send(token)
    } catch (error) {
      // The backend's own token was revoked, or auth has lost it. A refused request had no effect.
      if (error instanceof BackendError && error.authStatus === 401) {
        return await send(await own.get(token))
      }
      throw error
    }
  }

  return {
    async issueToken(body) {
      const answer = await call({ method: 'POST', path: '/v1/tokens', body })
      if (!Value.Check(TokenResponse, answer)) {
        throw new BackendError('bad_answer', 'the response to /v1/tokens is not a token response')
      }
      return answer
    },

    async revoke({ receiptTimeoutMs = 30_000, ...target }) {
      const until = performance.now() + receiptTimeoutMs
      const waitMs = Math.min(receiptTimeoutMs, maxWaitMs)
      const identity = 'token' in target ? undefined : (target.identity ?? credentials.identity)
      const body = defined({ ...target, identity, wait: waitMs })
      const answer = await call({ method: 'POST', path: '/v1/revocations', body, waitMs })
      return complete(receiptOf(answer), until)
    },

    async awaitReceipt(id, { receiptTimeoutMs = 30_000 } = {}) {
      const until = performance.now() + receiptTimeoutMs
      return complete(await getReceipt(id), until)
    },
  }

  async function getReceipt(id: string): Promise<Receipt> {
    const path = `/v1/revocations/${encodeURIComponent(id)}`
    return receiptOf(await call({ method: 'GET', path }))
  }

  /** Reads a receipt until it is complete, or throws at `until` (monotonic clock, in milliseconds). */
  async function complete(receipt: Receipt, until: number): Promise<Receipt> {
    let newest = receipt
    while (!newest.complete) {
      if (performance.now() >= until) {
        throw incomplete(newest)
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs))
      newest = await getReceipt(receipt.id).catch((error: unknown) => {
        // The next request may succeed, until the time is over.
        if (error instanceof BackendError && isTemporary(error)) {
          return newest
        }
        throw error
      })
    }
    return newest
  }
}

function isTemporary({ code }: BackendError): boolean {
  return ['network', 'timeout', 'unavailable', 'rate_limited'].includes(code)
}

function receiptOf(answer: unknown): Receipt {
  if (!Value.Check(Receipt, answer)) {
    throw new BackendError('bad_answer', 'the response to a revocation is not a receipt')
  }
  return answer
}

function incomplete(receipt: Receipt): BackendError {
  const pending = [
    ...receipt.nodes.map(({ node, state }) => ({ name: node, state })),
    ...receipt.auths.map(({ auth, state }) => ({ name: auth, state })),
  ].flatMap(({ name, state }) => (state === 'pending' ? [name] : []))
  return new BackendError(
    'incomplete',
    `the revocation ${receipt.id} is not confirmed yet by ${pending.join(', ') || 'every node'}`,
    { receipt },
  )
}
