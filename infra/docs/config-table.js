/**
 * The README's configuration table, made from the services' own schemas.
 * `node infra/docs/config-table.js` writes it; with `--check` it only fails when README differs.
 */
import { configSchema as auth } from '@portcullis/auth/config'
import { configSchema as realtime } from '@portcullis/realtime/config'
import { keepGeneratedPart } from './generated-part.js'

/**
 * @param {string} service
 * @param {{ properties: Record<string, { default?: unknown, description?: string }>, required?: string[] }} schema
 */
function table(service, schema) {
  const rows = Object.entries(schema.properties).map(([name, { default: value, description }]) => {
    const shown =
      value === undefined ? (schema.required?.includes(name) ? '**required**' : '') : `\`${value}\``
    return `| \`${name}\` | ${shown === '``' ? '' : shown} | ${description ?? ''} |`
  })
  return [`**${service}**`, '', '| variable | default | meaning |', '|---|---|---|', ...rows].join(
    '\n',
  )
}

keepGeneratedPart(
  'README.md',
  'configuration',
  `${table('auth', auth)}\n\n${table('realtime', realtime)}`,
)
