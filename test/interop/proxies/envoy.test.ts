import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { parse } from 'yaml'

const file = fileURLToPath(new URL('../../../infra/proxies/envoy.yaml', import.meta.url))

const routes = Type.Array(
  Type.Object({
    match: Type.Union([
      Type.Object({ path: Type.String() }),
      Type.Object({ prefix: Type.String() }),
    ]),
    route: Type.Optional(Type.Object({ cluster: Type.String() })),
    direct_response: Type.Optional(Type.Object({ status: Type.Integer() })),
  }),
)

/** Returns the part of a value below these keys. */
function below(value: unknown, ...keys: readonly (string | number)[]): unknown {
  return keys.reduce<unknown>(
    (part, key) => (typeof part === 'object' && part !== null ? Reflect.get(part, key) : undefined),
    value,
  )
}

t.test('envoy.yaml sends each path where the other proxies send it', async (t) => {
  const listeners = below(parse(readFileSync(file, 'utf8')), 'static_resources', 'listeners')
  const manager = below(listeners, 1, 'filter_chains', 0, 'filters', 0, 'typed_config')
  const known = below(manager, 'route_config', 'virtual_hosts', 0, 'routes')
  if (!Value.Check(routes, known)) {
    throw new Error('envoy.yaml has no routes')
  }
  const target = (path: string) => {
    const found = known.find(({ match }) =>
      'path' in match ? match.path === path : path.startsWith(match.prefix),
    )
    return found?.route?.cluster ?? found?.direct_response?.status
  }
  const expected = {
    '/connection/websocket': 'nodes',
    '/emulation': 'nodes',
    '/api': 'nodes',
    '/api/publish': 'nodes',
    '/apis': 404,
    '/oauth/token': 'auth',
    '/.well-known/jwks.json': 'auth',
    '/v1/tokens': 'auth',
    '/ready': 404,
    '/health': 404,
    '/metrics': 404,
    '/docs': 404,
    '/': 404,
  }
  for (const [path, where] of Object.entries(expected)) {
    t.equal(target(path), where, path)
  }
})
