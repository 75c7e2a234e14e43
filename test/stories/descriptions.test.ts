import asyncapi from '@asyncapi/specs'
import { startInstallation } from '@portcullis/local'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv } from 'ajv'
import t, { type Test } from 'tap'

type Json = Record<string, unknown>

/*
 * The official AsyncAPI parser would check more, but its dependencies report each installation
 * (@scarf/scarf); the schema of the same project does not.
 */
const isAsyncApi = new Ajv({
  strict: false,
  validateFormats: false,
  // The schema contains the meta-schema of JSON Schema.
  meta: false,
  validateSchema: false,
}).compile<Json>(Object(asyncapi.schemas['3.0.0']))

const { auth, realtime } = await startInstallation(t, { realtime: 1 })
const services = [
  { name: 'auth', url: auth.url },
  { name: 'realtime', url: realtime[0].url },
]

async function json(url: string): Promise<Json> {
  const answer = await fetch(url)
  return (await answer.json()) as Json
}

for (const { name, url } of services) {
  t.test(`${name}: the HTTP API is described in valid OpenAPI 3.1`, async (t) => {
    const description = await json(`${url}/docs/openapi.json`)
    t.equal(description['openapi'], '3.1.0')
    t.ok(Object.keys(Object(description['paths'])).length > 5, 'has the routes')
    const validator = new Validator()
    const { valid, errors } = await validator.validate(description)
    t.ok(valid, 'valid', { errors })
    t.same(await json(`${url}/docs`), description, '/docs returns it too')
    for (const { path, operation } of operations(description)) {
      t.ok(operation['summary'], `${path} has a summary`)
    }
  })

  t.test(`${name}: the WebSocket is described in valid AsyncAPI 3`, async (t) => {
    const description = await json(`${url}/docs/asyncapi.json`)
    t.equal(description['asyncapi'], '3.0.0')
    t.ok(isAsyncApi(description), 'valid', { errors: isAsyncApi.errors })
    const { hosts, messages } = checkReferences(t, description)
    t.same(hosts, [new URL(url).host], 'names the host of the service')
    t.ok(messages > 5, 'has the messages')
  })
}

function operations(description: Json): { path: string; operation: Json }[] {
  return Object.entries(Object(description['paths'])).flatMap(([path, methods]) =>
    Object.entries(Object(methods)).map(([method, operation]) => ({
      path: `${method} ${path}`,
      operation: Object(operation),
    })),
  )
}

/** Follows each `$ref` outside the payloads, which the schema of AsyncAPI does not resolve. */
function checkReferences(t: Test, description: Json): { hosts: unknown[]; messages: number } {
  const visit = (value: unknown) => {
    if (typeof value !== 'object' || value === null) {
      return
    }
    const { $ref } = value as { $ref?: unknown }
    if (typeof $ref === 'string') {
      const found = $ref
        .slice(2)
        .split('/')
        .reduce<unknown>((at, key) => Object(at)[key], description)
      t.ok(found, `${$ref} exists`)
    }
    for (const [key, each] of Object.entries(value)) {
      if (key !== 'payload') {
        visit(each)
      }
    }
  }
  visit(description)
  const { servers, channels } = description as { servers: Json; channels: Json }
  return {
    hosts: Object.values(servers).map((server) => Object(server).host),
    messages: Object.values(channels).flatMap((one) => Object.keys(Object(one).messages)).length,
  }
}
