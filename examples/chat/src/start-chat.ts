import { authClient } from '@portcullis/backend'
import { startInstallation } from '@portcullis/local'
import getPort from 'get-port'
import { buildBackend } from './backend.js'
import { buildPage } from './page.js'

export interface StartChatOptions {
  /** Port of the backend; default: any that is free. */
  port?: number
}

/**
 * Starts Redis (or uses `REDIS_URL`), auth, two realtime nodes and the chat's backend. They stop in the
 * teardown.
 */
export async function startChat(
  t: { teardown(stop: () => unknown): void },
  { port }: StartChatOptions = {},
): Promise<{ url: string }> {
  const host = '127.0.0.1'
  const chosen = await getPort({ host, ...(port === undefined ? {} : { port }) })
  const url = `http://${host}:${chosen}`
  const { auth, realtime, identityClient } = await startInstallation(t, {
    realtime: 2,
    env: {
      ALLOWED_ORIGINS: url,
      NAMESPACES:
        '{"room":{"historySize":100,"historyTtlSeconds":86400,"recovery":true,"presence":true,"joinLeave":true}}',
    },
  })
  // In production: `portcullis identity register chat --scope "…"`, once.
  const channels = ['subscribe', 'publish', 'presence', 'history'].map((verb) => `${verb}:room:*`)
  const { identity, registrationCode } = await identityClient('chat', [
    'tokens:issue',
    'tokens:revoke',
    ...channels,
  ])
  const app = buildBackend({
    auth: authClient({ authUrl: auth.url, credentials: { identity, registrationCode } }),
    nodes: realtime.map((node) => node.wsUrl),
    page: await buildPage(),
  })
  t.teardown(() => app.close())
  await app.listen({ host, port: chosen })
  return { url }
}
