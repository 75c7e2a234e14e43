import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { parseAllDocuments } from 'yaml'
import { tools } from './tools.js'

export const chart = fileURLToPath(new URL('../../infra/helm/portcullis', import.meta.url))

/** The version of Kubernetes that the chart is rendered for. */
export const kubernetesVersion = '1.37.0'

const variable = Type.Object({ name: Type.String(), value: Type.Optional(Type.String()) })
const container = Type.Object({
  image: Type.String(),
  args: Type.Optional(Type.Array(Type.String())),
  env: Type.Array(variable),
})
const workload = Type.Object({
  kind: Type.String(),
  metadata: Type.Object({ name: Type.String() }),
  spec: Type.Object({
    template: Type.Object({
      spec: Type.Object({
        containers: Type.Array(container),
        terminationGracePeriodSeconds: Type.Optional(Type.Integer()),
      }),
    }),
  }),
})
export type Workload = Static<typeof workload>

const run = promisify(execFile)

/**
 * Returns the manifests of the chart, in YAML.
 *
 * @throws Error with the message of helm when it refuses the values
 */
export async function render(args: readonly string[]): Promise<string> {
  const { stdout } = await run(
    tools.helm ?? '',
    ['template', 'shop', chart, '--kube-version', kubernetesVersion, ...args],
    { maxBuffer: 1 << 24 },
  )
  return stdout
}

/** Returns the arguments that name values of one of the chart's examples. */
export const example = (name: 'trial' | 'production') => [
  '--values',
  `${chart}/examples/${name}.yaml`,
]

/** Returns the objects of a rendered chart. */
export function parse(manifests: string): readonly unknown[] {
  return parseAllDocuments(manifests)
    .map((document): unknown => document.toJS())
    .filter((object) => object !== null)
}

/** @throws Error when the chart has no such workload */
export function findWorkload(objects: readonly unknown[], kind: string, name: string): Workload {
  const found = objects.find(
    (object): object is Workload =>
      Value.Check(workload, object) &&
      object.kind === kind &&
      object.metadata.name.startsWith(name),
  )
  if (found === undefined) {
    throw new Error(`the chart has no ${kind} ${name}`)
  }
  return found
}
