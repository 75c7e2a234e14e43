import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readResults, withFigures, writeDocument } from './document.js'
import type { Result } from './result.js'

const marks = ['<!-- written by npm run bench: figures -->', '<!-- end of figures -->'] as const

function resultOf(name: string, title: string): Result {
  return {
    name,
    title,
    columns: [{ key: 'cpu', title: 'CPU µs', digits: 0 }],
    cases: [
      {
        name: '',
        rows: [
          { name: 'ours', figures: { cpu: 10 } },
          { name: 'theirs', figures: { cpu: 5 }, ratio: { median: 2, min: 1, max: 3 } },
        ],
        rounds: 5,
        warmUp: { rounds: 3, moving: [] },
      },
    ],
    conditions: ['A condition.'],
    measured: {
      ...{ node: '20.0.0', redis: '7.0', system: 'Linux', cpu: 'a CPU', cores: 2, load: [0, 1] },
      at: '2026-01-01',
    },
  }
}

t.test('writes figures between the marks and keeps the rest', async (t) => {
  const text = withFigures(`before\n${marks[0]}\nold\n${marks[1]}\nafter\n`, 'performance', [
    resultOf('storm', 'A storm'),
  ])
  t.match(text, /^before\n/)
  t.match(text, /\nafter\n$/)
  t.notMatch(text, /old/)
  t.match(text, /!\[A storm\]\(performance\/storm\.svg\)/)
  t.match(text, /\| {2}\| theirs \| 2\.00 \| 1\.00–3\.00 \| 5 \|/)
  t.match(text, /- A condition\.\n/)
})

t.test('keeps figures that were not measured again', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'portcullis-document-'))
  t.teardown(() => rm(parent, { recursive: true }))
  const folder = join(parent, 'performance')
  await writeFile(`${folder}.md`, marks.join('\n'))
  await writeDocument(folder, [resultOf('storm', 'A storm'), resultOf('start', 'A start')])
  await writeDocument(folder, [resultOf('storm', 'Another storm')])
  const text = await readFile(`${folder}.md`, 'utf8')
  t.match(text, /Another storm[\s\S]*A start/)
  t.notMatch(text, /A storm/)
})

t.test('docs/performance.md has the figures of docs/performance/figures.json', async (t) => {
  const folder = new URL('../../../docs/performance/', import.meta.url)
  const text = await readFile(new URL('../performance.md', folder), 'utf8')
  const results = await readResults(new URL('figures.json', folder).pathname)
  t.equal(text, withFigures(text, 'performance', results), 'only npm run bench writes them')
})
