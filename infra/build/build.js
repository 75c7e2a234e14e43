// `node infra/build/build.js [--types] [--watch] [workspace…]` compiles `src/` of the workspaces, and of
// those that they import, to `dist/`, and bundles the programs among them. Without a workspace it builds
// all. What has not changed since the last build is skipped. The build itself checks no types; `--types`
// does, of tests too. `--watch` compiles until it is stopped, and bundles nothing.
//
// TypeScript 7 is installed for this folder alone: dependency-cruiser and tap load TypeScript 5, whose
// JavaScript interface version 7 no longer has.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, utimesSync, watch } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bundlePrograms } from './bundle.js'
import { syncDist } from './sync-dist.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
/** The compiler itself: `bin/tsc` starts it as a child that outlives a signal. */
const { default: compiler } = await import(
  pathToFileURL(join(typescript, 'lib', 'getExePath.js')).href
)

const options = process.argv.slice(2).filter((word) => word.startsWith('--'))
const workspaces = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const watches = options.includes('--watch')
const checksTypes = options.includes('--types')
const config = checksTypes ? 'tsconfig.json' : 'tsconfig.build.json'
const projects = workspaces.length > 0 ? workspaces.map((path) => join(path, config)) : [config]

for (const workspace of sourceFolders()) {
  const [sources, dist] = [join(workspace, 'src'), join(workspace, 'dist')]
  // Before tsc: under `npm run dev` a service restarts, and reads its scripts, as soon as tsc writes.
  syncDist(sources, dist)
  if (watches) {
    watch(sources, { recursive: true }, () => {
      if (syncDist(sources, dist)) {
        // `node --watch` sees changes of modules, not of scripts.
        utimesSync(join(dist, 'main.js'), new Date(), new Date())
      }
    })
  }
}

const tsc = spawn(
  compiler(),
  ['--build', ...(watches ? ['--watch', '--preserveWatchOutput'] : []), ...projects],
  { cwd: root, stdio: 'inherit' },
)
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => tsc.kill(signal))
}
tsc.once('exit', async (code) => {
  if (code === 0 && !watches && !checksTypes) {
    await bundlePrograms(root, workspaces)
  }
  process.exit(code ?? 1)
})

/** @returns {string[]} absolute paths of the folders that hold a `src/` */
function sourceFolders() {
  const parents = ['packages', 'apps', 'infra', 'test'].map((name) => join(root, name))
  return parents
    .flatMap((parent) => readdirSync(parent).map((name) => join(parent, name)))
    .filter((folder) => existsSync(join(folder, 'src')))
}
