// A service that runs from a bundle goes on when the bundle is made again: what it has not loaded yet stays.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'

const bundler = new URL('../../infra/build/bundle.js', import.meta.url)
const {
  bundlePrograms,
}: { bundlePrograms: (root: string, workspaces: readonly string[]) => Promise<void> } =
  await import(bundler.href)

/** Returns a checkout in which auth loads a module late, and a function that changes this module. */
function checkout(t: Test) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'portcullis-checkout-')))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const dist = join(root, 'apps/auth/dist')
  mkdirSync(dist, { recursive: true })
  mkdirSync(join(root, 'node_modules/@fastify/swagger-ui/static'), { recursive: true })
  writeFileSync(
    join(dist, 'main.js'),
    "export const late = async () => (await import('./late.js')).name",
  )
  writeFileSync(join(root, 'apps/auth/package.json'), '{"type":"module"}')
  let changes = 0
  const bundleWith = async (name: string) => {
    writeFileSync(join(dist, 'late.js'), `export const name = ${JSON.stringify(name)}`)
    changes += 1
    const later = Date.now() / 1000 + changes * 60
    utimesSync(join(dist, 'late.js'), later, later)
    await bundlePrograms(root, ['apps/auth'])
  }
  return { folder: join(root, 'apps/auth/bundle'), bundleWith }
}

const lateModules = (folder: string) =>
  readdirSync(folder).filter((name) => /^late-.*\.mjs$/.test(name))

t.test('a running program loads the modules of its own bundle', async (t) => {
  const { folder, bundleWith } = checkout(t)
  await bundleWith('first')
  const running = await import(pathToFileURL(join(folder, 'main.mjs')).href)
  await bundleWith('second')
  await bundleWith('third')
  t.equal(await running.late(), 'first')
  t.equal(lateModules(folder).length, 3)
})

t.test('a replaced module is removed after a week', async (t) => {
  const { folder, bundleWith } = checkout(t)
  await bundleWith('first')
  const [first = ''] = lateModules(folder)
  await bundleWith('second')
  const list = join(folder, 'replaced.json')
  const replaced: Record<string, number> = JSON.parse(readFileSync(list, 'utf8'))
  t.ok(replaced[first])
  const aWeekAgo = Date.now() - 7 * 24 * 60 * 60 * 1000 - 1
  writeFileSync(list, JSON.stringify({ ...replaced, [first]: aWeekAgo }))
  await bundleWith('third')
  t.notOk(existsSync(join(folder, first)))
  t.equal(lateModules(folder).length, 2)
})
