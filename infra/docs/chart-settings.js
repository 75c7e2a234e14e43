/**
 * The settings that the Helm chart accepts, made from the services' own schemas.
 * `node infra/docs/chart-settings.js` writes them into the chart's values.schema.json; with `--check` it only
 * fails when that file differs.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { configSchema as auth } from '@portcullis/auth/config'
import { configSchema as realtime } from '@portcullis/realtime/config'

const file = new URL('../helm/portcullis/values.schema.json', import.meta.url)

/** Settings for which the chart has values of its own, or which it decides. */
const ofChart = [
  'HOST',
  'PORT',
  'INTERNAL_PORT',
  'INTERNAL_HOST',
  'ISSUER',
  'ADMIN_IDENTITY',
  'ADMIN_CODE_FILE',
  'SHUTDOWN_DELAY_MS',
  'CLOSE_DEADLINE_MS',
  'AUTH_URL',
  'IDENTITY',
  'REGISTRATION_CODE',
  'NODE_NAME',
]

/** Settings that belong into a Secret. */
const secret =
  /^(?:REDIS_URL|KEY_ENCRYPTION_SECRET.*|ADMIN_REGISTRATION_CODE|TLS_KEY|AUTH_KEY|HANDLER_SECRET)$/

/** @typedef {{ type?: string, minimum?: number, maximum?: number, anyOf?: { const?: unknown }[] }} Setting */

/**
 * Returns what a value of the chart may be. Forms of texts are left to the service, whose messages say them
 * in words.
 * @param {Setting} setting
 */
function acceptedValue({ type, minimum, maximum, anyOf }) {
  if (anyOf !== undefined) {
    return { enum: anyOf.map((member) => member.const) }
  }
  return { type, ...(type === 'integer' ? { minimum, maximum } : {}) }
}

/**
 * @param {{ properties: Record<string, Setting> }} schema
 * @returns {{ settings: object, secretKeys: object }}
 */
function acceptedBy({ properties }) {
  const names = Object.keys(properties).filter((name) => !ofChart.includes(name))
  /** @param {[string, object][]} entries */
  const object = (entries) => ({
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(entries),
  })
  return {
    settings: object(
      names
        .filter((name) => !secret.test(name))
        .map((name) => [name, acceptedValue(properties[name] ?? {})]),
    ),
    secretKeys: object(names.map((name) => [name, { type: 'string', minLength: 1 }])),
  }
}

const text = readFileSync(file, 'utf8')
const schema = JSON.parse(text)
Object.assign(schema.properties.auth.properties, acceptedBy(auth))
Object.assign(schema.properties.realtime.properties, acceptedBy(realtime))
const wanted = `${JSON.stringify(schema, null, 2)}\n`

if (!process.argv.includes('--check')) {
  writeFileSync(file, wanted)
} else if (text !== wanted) {
  process.stderr.write('values.schema.json: the settings are out of date; run npm run docs\n')
  process.exitCode = 1
}
