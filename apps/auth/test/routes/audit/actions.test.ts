import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { auditActions } from '@portcullis/contracts/audit'
import type { FastifyInstance, RouteOptions } from 'fastify'
import t from 'tap'
import { auth } from '../../fixtures/auth.js'

const initialized = 'fastify.initialization'

t.test('every route under /v1 and /oauth has an action of the audit log', async (t) => {
  const routes: RouteOptions[] = []
  const watch = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', (route) => {
      // Skip the routes that answer 405 to all other methods.
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
    // Introspection changes nothing, and a poll is too frequent to record.
    const onlyReads = ['token.introspect', 'receiver.poll'].includes(action)
    const changes = !['GET', 'HEAD'].includes(String(method)) && !onlyReads
    if (changes) {
      t.not(auditActions[action], 'read', `${method} ${url} is an act`)
    }
  }
  // A node joins by a message on the feed, which has no route.
  used.add('node.join')
  t.same([...used].sort(), Object.keys(auditActions).sort(), 'every action has a route')
})

t.test('docs/audit.md lists the same actions', async (t) => {
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
