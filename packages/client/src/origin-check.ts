/**
 * Finds out whether a node refuses the origin of this page. A browser hides why an upgrade was refused,
 * but lets the page read the node's reply to a plain request to the same address.
 */
export class OriginCheck {
  #isKnown = false

  /** Notes that a socket opened. The next failure is checked again: the node may have changed. */
  opened(): void {
    this.#isKnown = false
  }

  /**
   * Asks the node after a dial that failed for an unknown reason, unless it has answered before.
   * Returns a message that names the origin if the node refuses it.
   */
  async failed(endpoint: string): Promise<string | undefined> {
    if (this.#isKnown) {
      return undefined
    }
    this.#isKnown = true
    const isRefused = await refusesOrigin(endpoint)
    this.#isKnown = isRefused !== undefined
    return isRefused === true ? describeRefusal(globalThis.origin) : undefined
  }
}

/** Returns undefined without a reply. */
async function refusesOrigin(endpoint: string): Promise<boolean | undefined> {
  try {
    const response = await fetch(endpoint.replace(/^ws/, 'http'), {
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
    })
    const body: unknown = await response.json()
    const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined
    return code === 'origin_not_allowed'
  } catch {
    return undefined
  }
}

function describeRefusal(origin: string): string {
  return origin === 'null'
    ? 'the node refuses this page, whose origin is null; serve the page over HTTP, outside a sandboxed frame'
    : `the node refuses connections from the origin ${origin}; add it to ALLOWED_ORIGINS of the node`
}
