import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ScriptIncludeError } from './errors.js'

const includeLine = /^--- @include "([^"]+)"[ \t]*$/gm

/**
 * Returns the text of a Lua file, with each line `--- @include "<path>"` replaced by the text of that
 * file. The path is relative to the file with the line. Each file is included once, where it is first
 * named.
 *
 * @throws ScriptIncludeError when an included file cannot be read, or when files include each other in
 * a circle
 */
export function readScript(file: URL): string {
  const path = fileURLToPath(file)
  return expand(path, readFileSync(path, 'utf8'), [path], new Set([path]))
}

/** `chain` leads from the script to `path`; `included` collects every file of the script. */
function expand(
  path: string,
  text: string,
  chain: readonly string[],
  included: Set<string>,
): string {
  return text.replace(includeLine, (_line, name: string) => {
    const target = resolve(dirname(path), name)
    if (chain.includes(target)) {
      const circle = [...chain.slice(chain.indexOf(target)), target]
      throw new ScriptIncludeError(
        `Lua files include each other in a circle: ${circle.map(fromHere).join(' -> ')}; remove one of these includes`,
      )
    }
    if (included.has(target)) {
      return ''
    }
    included.add(target)
    return expand(target, readIncluded(path, name, target), [...chain, target], included)
  })
}

function readIncluded(path: string, name: string, target: string): string {
  try {
    return readFileSync(target, 'utf8')
  } catch (cause) {
    throw new ScriptIncludeError(
      `${fromHere(path)} includes "${name}", but ${fromHere(target)} cannot be read; correct the path`,
      { cause },
    )
  }
}

function fromHere(path: string): string {
  return relative('', path)
}
