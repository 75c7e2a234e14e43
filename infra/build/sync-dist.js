import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Copies each changed `.lua` file of `sources` to the same place in `dist`, where the compiled wrapper
 * reads it, and deletes the files of `dist` whose source is gone: tsc does neither.
 * @param {string} sources
 * @param {string} dist
 * @returns {boolean} true if a Lua script has changed
 */
export function syncDist(sources, dist) {
  for (const file of filesIn(dist).filter((file) => !hasSource(sources, file))) {
    rmSync(join(dist, file))
  }
  let changed = false
  for (const file of filesIn(sources).filter((file) => file.endsWith('.lua'))) {
    const copy = join(dist, file)
    if (!existsSync(copy) || !readFileSync(copy).equals(readFileSync(join(sources, file)))) {
      mkdirSync(dirname(copy), { recursive: true })
      copyFileSync(join(sources, file), copy)
      changed = true
    }
  }
  return changed
}

/** @param {string} sources @param {string} file of dist */
function hasSource(sources, file) {
  const compiled = /^(.*)\.(?:js|js\.map|d\.ts)$/.exec(file)?.[1]
  const source = compiled === undefined ? file : `${compiled}.ts`
  // The records of tsc's incremental builds come from no source.
  return file.endsWith('.tsbuildinfo') || existsSync(join(sources, source))
}

/**
 * @param {string} folder
 * @returns {string[]} paths relative to the folder; none when there is no such folder
 */
function filesIn(folder) {
  if (!existsSync(folder)) {
    return []
  }
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  )
}
