import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The folder that infra/helm/build-tools.sh has filled. */
const folder = process.env['CHART_TOOLS'] ?? ''

const find = (name: string) =>
  folder !== '' && existsSync(join(folder, name)) ? join(folder, name) : undefined

/** Absolute paths of what the tests of the chart need; undefined when it is missing. */
export const tools = {
  helm: find('helm'),
  kubeconform: find('kubeconform'),
  /** The OpenAPI 2 document of Kubernetes. */
  openapi: find('swagger.json'),
  /** The definition of the kind ServiceMonitor. */
  serviceMonitors: find('servicemonitors.yaml'),
  apiServer: find('kube-apiserver'),
}

/** Returns why a test is skipped; false when all these tools are there. */
export function skipWithout(...names: readonly (keyof typeof tools)[]): string | false {
  const missing = names.filter((name) => tools[name] === undefined)
  return missing.length === 0 ? false : `CHART_TOOLS has no ${missing.join(', ')}`
}
