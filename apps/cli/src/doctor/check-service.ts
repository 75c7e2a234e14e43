import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { CliError } from '../errors.js'
import { type Check, failed, ok, warning } from './check.js'
import { type ClockOffset, probe } from './probe.js'

export interface ServiceChecks {
  checks: Check[]
  /** True when the service responds to requests. */
  reachable: boolean
  clock: ClockOffset | undefined
}

const Health = Type.Object({ warnings: Type.Record(Type.String(), Type.String()) })

/** Checks `/health` and `/ready` of a service. */
export async function checkService(
  service: 'auth' | 'realtime',
  base: string,
  name: string,
): Promise<ServiceChecks> {
  try {
    const health = await probe(service, base, '/health')
    if (health.status !== 200) {
      const advice = `check the URL of ${service} (--${service})`
      const found = `${base}/health answered HTTP ${health.status}`
      return { checks: [failed(name, found, advice)], reachable: false, clock: undefined }
    }
    const ready = await probe(service, base, '/ready')
    const check =
      ready.status === 200
        ? ok(name, `ready at ${base}`)
        : failed(name, `not ready: ${reasonsIn(ready.body)}`, advice(service))
    const checks = [check, ...warningsIn(health.body, name)]
    return { checks, reachable: true, clock: health.clock }
  } catch (error) {
    if (!(error instanceof CliError)) {
      throw error
    }
    return { checks: [failed(name, error.message)], reachable: false, clock: undefined }
  }
}

function advice(service: 'auth' | 'realtime'): string {
  const needs = service === 'auth' ? 'its Redis' : 'auth and its Redis'
  return `check its log; it needs ${needs}`
}

/** Returns the warnings of `/health`. */
function warningsIn(body: unknown, name: string): Check[] {
  if (!Value.Check(Health, body)) {
    return []
  }
  return Object.entries(body.warnings).map(([what, found]) => {
    const advice =
      what === 'redis'
        ? 'give auth and the nodes separate Redis servers or Redis users: docs/security.md'
        : 'check its log'
    return warning(`${name} ${what}`, found, advice)
  })
}

/** Returns the reasons in `/ready`. */
function reasonsIn(body: unknown): string {
  const reasons =
    typeof body === 'object' && body !== null && 'reasons' in body ? body.reasons : undefined
  if (typeof reasons !== 'object' || reasons === null) {
    return 'no reason given'
  }
  return Object.entries(reasons)
    .map(([what, why]) => `${what}: ${why}`)
    .join('; ')
}
