import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../../', import.meta.url))
const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n')
const documents = tracked.filter((file) => file.endsWith('.md'))
const read = (file: string) => readFileSync(posix.join(root, file), 'utf8')

/** Returns the anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
}

t.test('every link between documents leads to a file and a heading that exist', async (t) => {
  t.ok(documents.length > 10)
  for (const document of documents) {
    for (const [link, path, anchor] of read(document).matchAll(
      /\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g,
    )) {
      const file = path === '' ? document : posix.join(posix.dirname(document), path ?? '')
      const exists = tracked.some((each) => each === file || each.startsWith(`${file}/`))
      t.ok(exists, `${document}: ${link} names no file`)
      if (exists && anchor !== undefined && file.endsWith('.md')) {
        const anchors = Array.from(read(file).matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
          anchorOf(heading),
        )
        t.ok(anchors.includes(anchor), `${document}: ${link} names no heading`)
      }
    }
  }
})

t.test('every source file that a document names exists', async (t) => {
  for (const document of documents) {
    for (const [, path = ''] of read(document).matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|lua))`/g)) {
      t.ok(
        tracked.some((file) => file === path || file.endsWith(`/${path}`)),
        `${document} names ${path}`,
      )
    }
  }
})
