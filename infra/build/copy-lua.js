// Copies each `.lua` file of a workspace's `src/` to the same place in `dist/`, where the compiled
// wrapper reads it, and deletes those of `dist/` that have no source. Run it in the workspace, before
// tsc: a service under `npm run dev` restarts, and reads its scripts, as soon as tsc writes.
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const scripts = luaFiles('src')
for (const file of scripts) {
  const copy = join('dist', file)
  mkdirSync(dirname(copy), { recursive: true })
  copyFileSync(join('src', file), copy)
}
for (const file of luaFiles('dist').filter((file) => !scripts.includes(file))) {
  rmSync(join('dist', file))
}

/**
 * @param {string} folder
 * @returns {string[]} paths relative to the folder; none when there is no such folder
 */
function luaFiles(folder) {
  if (!existsSync(folder)) {
    return []
  }
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.lua'),
  )
}
