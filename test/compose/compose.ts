import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { parse } from 'yaml'

/** The folder that paths in compose.yaml start from. */
export const folder = fileURLToPath(new URL('../../infra/', import.meta.url))

const text = Type.Union([Type.String(), Type.Number()])
const named = Type.Record(Type.String(), Type.Unknown())
const service = Type.Object({
  image: Type.String(),
  profiles: Type.Optional(Type.Array(Type.String())),
  build: Type.Optional(
    Type.Object({ context: Type.String(), dockerfile: Type.String(), target: Type.String() }),
  ),
  restart: Type.String(),
  read_only: Type.Literal(true),
  cap_drop: Type.Array(Type.Literal('ALL')),
  security_opt: Type.Array(Type.String()),
  logging: Type.Object({
    driver: Type.String(),
    options: Type.Object({ 'max-size': Type.String(), 'max-file': Type.String() }),
  }),
  deploy: Type.Object({
    resources: Type.Object({
      limits: Type.Object({ cpus: Type.String(), memory: Type.String(), pids: Type.Integer() }),
    }),
  }),
  environment: Type.Optional(Type.Record(Type.String(), text)),
  secrets: Type.Optional(Type.Array(Type.String())),
  configs: Type.Optional(Type.Array(Type.Object({ source: Type.String() }))),
  volumes: Type.Optional(Type.Array(Type.String())),
  networks: Type.Optional(Type.Union([Type.Array(Type.String()), named])),
  depends_on: Type.Optional(named),
  ports: Type.Optional(Type.Array(Type.String())),
  stop_grace_period: Type.Optional(Type.String()),
})
export type ComposeService = Static<typeof service>

const project = Type.Object({
  services: Type.Record(Type.String(), service),
  secrets: Type.Record(Type.String(), Type.Object({ file: Type.String() })),
  configs: Type.Record(Type.String(), Type.Object({ file: Type.String() })),
  networks: named,
  volumes: named,
})
export type Compose = Static<typeof project>

/** Reads compose.yaml, with the defaults of its variables. @throws Error that names what is missing */
export function readCompose(): Compose {
  const value: unknown = parse(readFileSync(`${folder}compose.yaml`, 'utf8'), interpolate, {
    merge: true,
  })
  if (!Value.Check(project, value)) {
    const problems = [...Value.Errors(project, value)].map(
      ({ path, message }) => `${path}: ${message}`,
    )
    throw new Error(`compose.yaml: ${problems.join('; ')}`)
  }
  return value
}

/** Returns a text with the defaults of the variables in it. */
function interpolate(_key: unknown, value: unknown): unknown {
  return typeof value === 'string'
    ? value.replaceAll(/\$\{\w+:-([^}]*)\}/g, (_, fallback: string) => fallback)
    : value
}
