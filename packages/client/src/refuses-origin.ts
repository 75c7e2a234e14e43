/**
 * Asks a node whether it refuses the origin of this page. A browser hides why an upgrade was refused, but
 * lets the page read the node's reply to a plain request to the same address. Returns undefined without
 * a reply.
 */
export async function refusesOrigin(endpoint: string): Promise<boolean | undefined> {
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
