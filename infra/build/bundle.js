import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundledLicenses } from './bundled-licenses.js'

/**
 * The programs, and what each reads at run time besides the Lua scripts of the workspaces in it: paths
 * from the checkout's root. In a bundle they are under `files/`.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const programs = {
  auth: ['node_modules/@fastify/swagger-ui/static', 'apps/auth/package.json'],
  realtime: ['node_modules/@fastify/swagger-ui/static', 'apps/realtime/package.json'],
  cli: ['apps/cli/completion', 'apps/cli/package.json'],
}

/**
 * How long a file that is no longer part of a bundle stays, in milliseconds: a service that was started from
 * an earlier bundle may still load it.
 */
const replacedForMs = 7 * 24 * 60 * 60 * 1000

/** The command line's bundle is published, and has nothing but its own files. */
const published = 'cli'

/** Inputs of every bundle besides its modules. */
const ownFiles = ['bundle.js', 'bundled-licenses.js'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
)

/** Replaces `import.meta.url`: the place of the module, not of the bundle. */
const moduleUrl = '__moduleUrl'

/**
 * The start of each file of a bundle: `require` for the CommonJS packages in it, and where modules find
 * the files that lie beside them in the checkout.
 */
const banner = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { fileURLToPath as __fileURLToPath } from 'node:url';",
  'const require = __createRequire(import.meta.url);',
  "const __files = new URL('files/', import.meta.url);",
].join('')

/**
 * Bundles each program of `workspaces` whose inputs have changed: `apps/<name>/dist/main.js`, and all that
 * it imports, to `apps/<name>/bundle/`. That folder runs wherever it is copied, without node_modules.
 * @param {string} root absolute path of the checkout
 * @param {readonly string[]} workspaces paths from the root; none means all
 */
export async function bundlePrograms(root, workspaces) {
  const names = Object.keys(programs).filter(
    (name) => workspaces.length === 0 || workspaces.includes(`apps/${name}`),
  )
  await Promise.all(names.filter((name) => isStale(root, name)).map((name) => bundle(root, name)))
}

/** @param {string} root @param {string} name */
async function bundle(root, name) {
  const { build } = await import('esbuild')
  const folder = join(root, 'apps', name, 'bundle')
  // A bundle without it is made again.
  rmSync(inputsOf(root, name), { force: true })
  const earlier = modulesIn(folder)
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [`apps/${name}/dist/main.js`],
    outdir: `apps/${name}/bundle`,
    // ES modules without a package.json beside them.
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    legalComments: 'none',
    banner: { js: banner },
    // Optional native modules of `ws`, which are not installed.
    external: ['bufferutil', 'utf-8-validate'],
    define: { 'import.meta.url': moduleUrl },
    plugins: [keepPlaces(root)],
    logLevel: 'warning',
  })
  const modules = Object.keys(metafile.inputs)
  const read = [...scriptsOf(root, modules), ...(programs[name] ?? [])]
  for (const file of read) {
    cpSync(join(root, file), join(folder, 'files', file), { recursive: true })
  }
  writeFileSync(join(folder, 'LICENSES.txt'), bundledLicenses(root, metafile))
  const made = new Set(Object.keys(metafile.outputs).map((file) => join(root, file)))
  removeReplaced(
    folder,
    earlier.filter((file) => !made.has(file)),
    name === published ? 0 : replacedForMs,
  )
  writeFileSync(inputsOf(root, name), JSON.stringify([...modules, ...read]))
}

/**
 * Returns the absolute paths of the modules and source maps in the folder of a bundle.
 * @param {string} folder
 */
function modulesIn(folder) {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return names.filter((name) => /\.mjs(?:\.map)?$/.test(name)).map((name) => join(folder, name))
}

/**
 * Notes in `replaced.json` since when files are no longer part of the bundle, and removes those that have not
 * been for `keptForMs`.
 * @param {string} folder the bundle's
 * @param {readonly string[]} files absolute paths
 * @param {number} keptForMs milliseconds
 */
function removeReplaced(folder, files, keptForMs) {
  const list = join(folder, 'replaced.json')
  /** @type {Record<string, number>} Unix milliseconds, by the file's name */
  const known = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : {}
  const now = Date.now()
  /** @type {Record<string, number>} */
  const kept = {}
  for (const file of files) {
    const since = known[basename(file)] ?? now
    if (now - since >= keptForMs) {
      rmSync(file, { force: true })
    } else {
      kept[basename(file)] = since
    }
  }
  writeFileSync(list, JSON.stringify(kept))
}

/**
 * Tells modules that read files beside them where they would be under `files/`.
 * @param {string} root
 * @returns {import('esbuild').Plugin}
 */
function keepPlaces(root) {
  return {
    name: 'keep-places',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        const source = readFileSync(path, 'utf8')
        const place = JSON.stringify(relative(root, path))
        const constants = [
          [/\bimport\.meta\.url\b/, `const ${moduleUrl} = new URL(${place}, __files).href;`],
          [
            /\b__dirname\b/,
            `const __dirname = __fileURLToPath(new URL('.', new URL(${place}, __files)));`,
          ],
        ]
          .filter(([pattern]) => pattern instanceof RegExp && pattern.test(source))
          .map(([, line]) => line)
        return { contents: `${constants.join('')}${source}`, loader: 'js' }
      })
    },
  }
}

/**
 * Returns the Lua scripts of the workspaces that the modules belong to.
 * @param {string} root @param {readonly string[]} modules
 */
function scriptsOf(root, modules) {
  const built = new Set(modules.map((path) => /^(?:apps|packages)\/[^/]+\/dist\//.exec(path)?.[0]))
  return [...built].flatMap((folder) =>
    folder === undefined
      ? []
      : readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.lua'))
          .map((file) => join(folder, file)),
  )
}

/**
 * Returns true if an input of the bundle is newer than the bundle, or gone.
 * @param {string} root @param {string} name
 */
function isStale(root, name) {
  const list = inputsOf(root, name)
  if (!existsSync(list)) {
    return true
  }
  const made = statSync(list).mtimeMs
  /** @type {string[]} */
  const inputs = JSON.parse(readFileSync(list, 'utf8'))
  return [...inputs.map((path) => join(root, path)), ...ownFiles].some(
    (path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > made,
  )
}

/** @param {string} root @param {string} name */
function inputsOf(root, name) {
  return join(root, 'apps', name, 'bundle', 'inputs.json')
}
