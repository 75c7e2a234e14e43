import { once } from 'node:events'
import { createServer } from 'node:http'
import { build } from 'esbuild'

export interface Site {
  /** `http://127.0.0.1:port` */
  origin: string
  /** The same page at another origin: `http://localhost:port` */
  otherOrigin: string
  /** Returns the number of token requests of the page. */
  tokenRequests(): number
  close(): void
}

/** An application: its page, and its backend's token endpoint for the signed-in user. */
export async function startSite(
  issue: () => Promise<unknown> | undefined,
  page = new URL('page.ts', import.meta.url),
): Promise<Site> {
  const { outputFiles } = await build({
    entryPoints: [page.pathname],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
  })
  const script = outputFiles[0]?.text ?? ''
  let tokenRequests = 0
  const server = createServer(async (request, response) => {
    if (request.method === 'POST' && request.url === '/token') {
      tokenRequests += 1
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(await issue()))
    } else if (request.url === '/page.js') {
      response.setHeader('content-type', 'text/javascript')
      response.end(script)
    } else {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><ul></ul><script type="module" src="/page.js"></script>')
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    origin: `http://127.0.0.1:${port}`,
    otherOrigin: `http://localhost:${port}`,
    tokenRequests: () => tokenRequests,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
