/**
 * The tables of docs/metrics.md, made from the services' own lists of metrics.
 * `node infra/docs/metrics-table.js` writes them; with `--check` it only fails when the document differs.
 */
import { families as auth } from '@portcullis/auth/metrics'
import { families as realtime } from '@portcullis/realtime/metrics'
import { serviceFamilies } from '@portcullis/service/metrics'
import { keepGeneratedPart } from './generated-part.js'

/** @typedef {import('@portcullis/service/metrics').Family} Family */

/**
 * @param {string} title
 * @param {Readonly<Record<string, Family>>} families
 */
function table(title, families) {
  const rows = Object.values(families).map(
    ({ name, type, help, labels = {}, ofWorkers = 'sum' }) => {
      const shown = Object.entries(labels).map(([label, values]) => `\`${label}\`: ${values}`)
      return `| \`${name}\` | ${type} | ${help} | ${shown.join('<br>')} | ${ofWorkers} |`
    },
  )
  const head = [
    '| metric | type | meaning | labels and their values | of workers |',
    '|---|---|---|---|---|',
  ]
  return [`### ${title}`, '', ...head, ...rows].join('\n')
}

const tables = [
  table('Both services', serviceFamilies),
  table('Auth', auth),
  table('Realtime', realtime),
]
keepGeneratedPart('docs/metrics.md', 'metrics', `\n${tables.join('\n\n')}\n`)
