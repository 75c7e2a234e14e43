import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { auditActions } from '@portcullis/contracts/audit'
import type { FastifyInstance, RouteOptions } from 'fastify'
import t from 'tap'
import { auth } from '../../fixtures/auth.js'

const initialized = 'fastify.initialization'

t.test('every route under /v1 and /oauth says what the audit log calls it', async (t) => {
  const routes: RouteOptions[] = []
  const watch = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', (route) => {
      // That of other methods, which refuses all of them (405).
      if (!Array.isArray(route.method)) {
        routes.push(route)
      }
    })
  }
  subscribe(initialized, watch)
  t.teardown(() => unsubscribe(initialized, watch))
  const self = await auth(t)
  await self.app.ready()

  const ours = routes.filter(({ url }) => /^\/(?:v1|oauth)\//.test(url))
  t.ok(ours.length > 25, `${ours.length} routes`)
  const used = new Set<string>()
  for (const { method, url, config } of ours) {
    const action = config?.audit
    t.ok(action, `${method} ${url}: ${action}`)
    if (action === undefined) {
      continue
    }
    used.add(action)
    // Introspection and the feed ask and change nothing; what is refused there is on record. A poll
    // acknowledges what its caller was given, over and over.
    const asks = ['token.introspect', 'receiver.poll'].includes(action)
    const changes = !['GET', 'HEAD'].includes(String(method)) && !asks
    if (changes) {
      t.not(auditActions[action], 'read', `${method} ${url} is an act`)
    }
  }
  // A hello has no route of its own: it is said on the feed.
  used.add('node.join')
  t.same([...used].sort(), Object.keys(auditActions).sort(), 'and no action is without a route')
})

t.test('docs/audit.md has the same actions', async (t) => {
  const docs = readFileSync(new URL('../../../../../docs/audit.md', import.meta.url), 'utf8')
  const rows = [...docs.matchAll(/^\| `([a-z]+\.[a-z]+)` \| (always|refused) \|/gm)]
  const expected = Object.entries(auditActions).map(([action, kind]) => [
    action,
    kind === 'read' ? 'refused' : 'always',
  ])
  t.same(
    rows.map(([, action, when]) => [action, when]),
    expected,
  )
})
