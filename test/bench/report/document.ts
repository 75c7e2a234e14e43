import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type FigureName, figureNames } from '../options.js'
import { plot } from './plot.js'
import type { Result } from './result.js'
import { cellsOf, explanations } from './table.js'

const begin = '<!-- written by npm run bench: figures -->'
const end = '<!-- end of figures -->'

/**
 * Writes into `folder` a plot for each result, and `figures.json`, where figures that were not measured now
 * stay unchanged. Then writes all figures into the document `<folder>.md`.
 *
 * @throws Error when that document has no place for them
 */
export async function writeDocument(folder: string, results: readonly Result[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  const known = join(folder, 'figures.json')
  const merged = merge(await readResults(known), results)
  for (const result of results) {
    await writeFile(join(folder, `${result.name}.svg`), plot(result))
  }
  await writeFile(known, `${JSON.stringify(merged, null, 2)}\n`)
  const document = `${folder}.md`
  const text = await readFile(document, 'utf8')
  await writeFile(document, withFigures(text, basename(folder), merged))
}

/** Reads the results of `figures.json`; none if there is no such file. */
export async function readResults(file: string): Promise<Result[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Result[]
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return []
    }
    throw error
  }
}

/** Returns the newer results, and the older ones of other figures, in the order of a whole run. */
function merge(older: readonly Result[], newer: readonly Result[]): Result[] {
  const place = ({ name }: Result) => figureNames.indexOf(name as FigureName)
  const kept = older.filter(({ name }) => newer.every((one) => one.name !== name))
  return [...kept, ...newer].sort((a, b) => place(a) - place(b))
}

/** Returns the document with these figures between its two marks. */
export function withFigures(text: string, folder: string, results: readonly Result[]): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from) {
    throw new Error(`the document has no lines "${begin}" and "${end}"`)
  }
  const figures = results.map((result) => sectionOf(result, folder)).join('\n')
  return `${text.slice(0, from + begin.length)}\n\n${figures}\n${text.slice(to)}`
}

function sectionOf(result: Result, folder: string): string {
  const [head = [], ...rows] = cellsOf(result)
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const alignments = head.map((_, index) => (index < 2 ? '---' : '---:'))
  return [
    `### ${result.name}`,
    '',
    `${result.title}. \`npm run bench -- ${result.name}\``,
    '',
    `![${result.title}](${folder}/${result.name}.svg)`,
    '',
    line(head),
    line(alignments),
    ...rows.map(line),
    '',
    ...explanations(result).map((text) => `- ${text}`),
    '',
  ].join('\n')
}
