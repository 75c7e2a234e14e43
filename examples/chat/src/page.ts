import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export interface Page {
  html: string
  script: string
  style: string
}

const folder = new URL('../page/', import.meta.url)
const fileOf = (name: string) => fileURLToPath(new URL(name, folder))
const { resolve } = createRequire(import.meta.url)

/** Bundles the React page for browsers. */
export async function buildPage(): Promise<Page> {
  const { outputFiles } = await build({
    entryPoints: [fileOf('page.tsx')],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    jsx: 'automatic',
    // This checkout has several versions of React; a page needs one. An application has only one.
    alias: { react: dirname(resolve('react/package.json')) },
    write: false,
  })
  return {
    html: await readFile(fileOf('index.html'), 'utf8'),
    script: outputFiles[0]?.text ?? '',
    style: await readFile(fileOf('page.css'), 'utf8'),
  }
}
