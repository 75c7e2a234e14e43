import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Returns the name, the version and the license text of every package of others whose code is in the outputs
 * of a bundle. Their licenses ask that this text goes wherever their code goes.
 * @param {string} root absolute path of the checkout
 * @param {import('esbuild').Metafile} metafile
 */
export function bundledLicenses(root, metafile) {
  const modules = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs))
  const folders = new Set(
    modules.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? []),
  )
  return [...folders]
    .map((folder) => describe(join(root, folder)))
    .sort()
    .join(`\n${'-'.repeat(80)}\n\n`)
}

/** @param {string} folder absolute path of an installed package */
function describe(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const texts = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').trim())
  return [`${name} ${version} (${license})`, ...texts, ''].join('\n\n')
}
