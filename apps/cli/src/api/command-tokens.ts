import { systemReason } from './http.js'

/** A token that the command got for itself, and what revokes it. */
export interface HeldToken {
  /** URL of auth. */
  url: string
  identity: string
  registrationCode: string
  token: string
}

/** A slow auth delays the end of the command no longer than this. */
const revokeWithinMs = 1000

/** The tokens that a command has got for itself, to be revoked when it ends. */
export class CommandTokens {
  readonly #held = new Map<object, HeldToken>()
  #revoking: Promise<string | undefined> | undefined

  /** Holds the current token of a source, instead of its previous one, which has almost expired. */
  hold(source: object, token: HeldToken): void {
    this.#held.set(source, token)
  }

  /**
   * Revokes the tokens, once. Never rejects: returns the reason if a token could not be revoked.
   */
  revoke(): Promise<string | undefined> {
    this.#revoking ??= Promise.all([...this.#held.values()].map(revoke)).then((failures) =>
      failures.find((failure) => failure !== undefined),
    )
    return this.#revoking
  }
}

async function revoke({ url, ...held }: HeldToken): Promise<string | undefined> {
  const { identity, registrationCode, token } = held
  const pair = [identity, registrationCode].map(encodeURIComponent).join(':')
  try {
    const response = await fetch(`${url}/oauth/revoke`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(pair)}` },
      body: new URLSearchParams({ token }),
      redirect: 'error',
      signal: AbortSignal.timeout(revokeWithinMs),
    })
    await response.text()
    return response.ok ? undefined : `HTTP ${response.status}`
  } catch (error) {
    return systemReason(error)
  }
}
