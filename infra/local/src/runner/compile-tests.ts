import { readFileSync, rmSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { currentTest } from './current-test.js'

/** Emptied before each compilation: a test whose source is gone must not run. */
const outDir = join('.tap', 'compiled')

/** A constant of each compiled file, for its `import.meta.url`. */
const sourceUrl = '__sourceUrl'

/**
 * Compiles test files to plain JavaScript, each with its fixtures in one file. Types are not checked:
 * `npm run typecheck` does that.
 *
 * An import from `src/` becomes one from the built `dist/`. `import.meta.url` stays the URL of the
 * TypeScript file. `tap` becomes the test that the host has opened for this file.
 *
 * @param workspace absolute path
 * @param sources paths relative to the workspace: `test/main.test.ts`
 * @returns the absolute path of the program, for each source.
 * @throws esbuild's BuildFailure, which names file and line.
 */
export async function compileTests(
  workspace: string,
  sources: readonly string[],
): Promise<Map<string, string>> {
  rmSync(join(workspace, outDir), { recursive: true, force: true })
  await build({
    absWorkingDir: workspace,
    entryPoints: [...sources],
    outbase: '.',
    outdir: outDir,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    logLevel: 'silent',
    define: { 'import.meta.url': sourceUrl },
    plugins: [ownFiles(workspace), fileTest],
  })
  return new Map(
    sources.map((source) => [source, join(workspace, outDir, source.replace(/\.ts$/, '.js'))]),
  )
}

function ownFiles(workspace: string): Plugin {
  return {
    name: 'own-files',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir, kind }) => {
        if (kind === 'entry-point') {
          return undefined
        }
        const parts = relative(workspace, resolve(resolveDir, path)).split(sep)
        const built = parts.map((part) => (part === 'src' ? 'dist' : part))
        if (!built.includes('dist')) {
          return undefined
        }
        return { path: pathToFileURL(join(workspace, ...built)).href, external: true }
      })
      onLoad({ filter: /\.ts$/ }, ({ path }) => ({
        contents: `const ${sourceUrl} = ${JSON.stringify(pathToFileURL(path).href)};${readFileSync(path, 'utf8')}`,
        loader: 'ts',
      }))
    },
  }
}

/** `import t from 'tap'` of a test file. */
const fileTest: Plugin = {
  name: 'file-test',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^tap$/ }, () => ({ path: 'tap', namespace: 'file-test' }))
    onLoad({ filter: /.*/, namespace: 'file-test' }, () => ({
      contents: `const t = globalThis[Symbol.for(${JSON.stringify(currentTest)})]
        export { t as default, t }`,
    }))
  },
}
