const quote = 0x22
const comma = 0x2c
const backslash = 0x5c
const closeBracket = 0x5d
const closeBrace = 0x7d
const openBracket = 0x5b
const openBrace = 0x7b

/** A value in a text, and how many arrays and objects are nested in it at most. */
export interface Span {
  readonly start: number
  /** The end, exclusive. */
  readonly end: number
  readonly depth: number
}

/**
 * Returns the value of a member of an object: `path` is its key, or the keys that lead to it through
 * nested objects. Of members with the same key the last one counts, as for JSON.parse. Returns
 * undefined for an object without it.
 *
 * @param json - text that JSON.parse accepts; `start` is the offset of the object in it
 */
export function findMember(json: string, path: readonly string[], start = 0): Span | undefined {
  const object = spanOf(json, start)
  return json.charCodeAt(object.start) === openBrace
    ? searchObject(json, object.start, path, 0).found
    : undefined
}

/** Returns the elements of an array; none when the value is no array. Parameters as for `findMember`. */
export function elementsOf(json: string, start = 0): Span[] {
  const elements: Span[] = []
  let at = skipBlanks(json, start)
  if (json.charCodeAt(at) !== openBracket) {
    return elements
  }
  at = skipBlanks(json, at + 1)
  while (at < json.length && json.charCodeAt(at) !== closeBracket) {
    const element = spanOf(json, at)
    elements.push(element)
    at = skipComma(json, element.end)
  }
  return elements
}

/** Returns the value at `start`, or after the blanks there. */
export function spanOf(json: string, start = 0): Span {
  const at = skipBlanks(json, start)
  const first = json.charCodeAt(at)
  if (first === quote) {
    return { start: at, end: endOfString(json, at), depth: 0 }
  }
  if (first === openBrace || first === openBracket) {
    return nestedSpan(json, at)
  }
  let end = at + 1
  while (end < json.length && !endsScalar(json.charCodeAt(end))) {
    end += 1
  }
  return { start: at, end, depth: 0 }
}

/** Searches the members of the object at `start` for the keys of `path` from the index `level` on. */
function searchObject(
  json: string,
  start: number,
  path: readonly string[],
  level: number,
): { found: Span | undefined; end: number } {
  let found: Span | undefined
  let at = skipBlanks(json, start + 1)
  while (at < json.length && json.charCodeAt(at) !== closeBrace) {
    const keyEnd = endOfString(json, at)
    const isWanted = isKey(json, at, keyEnd, path[level])
    at = skipBlanks(json, skipBlanks(json, keyEnd) + 1)
    if (isWanted && level + 1 < path.length && json.charCodeAt(at) === openBrace) {
      const inner = searchObject(json, at, path, level + 1)
      found = inner.found
      at = inner.end
    } else {
      const value = spanOf(json, at)
      if (isWanted) {
        found = level + 1 === path.length ? value : undefined
      }
      at = value.end
    }
    at = skipComma(json, at)
  }
  return { found, end: at + 1 }
}

/** Compares a key as JSON.parse reads it: `"\u0061"` is `"a"`. */
function isKey(json: string, start: number, end: number, name: string | undefined): boolean {
  const key = json.slice(start + 1, end - 1)
  return key === name || (key.includes('\\') && JSON.parse(`"${key}"`) === name)
}

function nestedSpan(json: string, start: number): Span {
  let [open, depth] = [0, 0]
  let at = start
  do {
    const code = json.charCodeAt(at)
    if (code === quote) {
      at = endOfString(json, at)
      continue
    }
    if (code === openBrace || code === openBracket) {
      open += 1
      depth = Math.max(depth, open)
    } else if (code === closeBrace || code === closeBracket) {
      open -= 1
    }
    at += 1
  } while (open > 0 && at < json.length)
  return { start, end: at, depth }
}

/** Returns the offset after the closing quote of the string whose opening quote is at `open`. */
function endOfString(json: string, open: number): number {
  let at = open + 1
  while (at < json.length) {
    const code = json.charCodeAt(at)
    if (code === quote) {
      return at + 1
    }
    at += code === backslash ? 2 : 1
  }
  return json.length
}

function skipComma(json: string, start: number): number {
  const at = skipBlanks(json, start)
  return json.charCodeAt(at) === comma ? skipBlanks(json, at + 1) : at
}

function skipBlanks(json: string, start: number): number {
  let at = start
  while (isBlank(json.charCodeAt(at))) {
    at += 1
  }
  return at
}

function endsScalar(code: number): boolean {
  return code === comma || code === closeBrace || code === closeBracket || isBlank(code)
}

/** The four characters that JSON allows between tokens (RFC 8259 §2). */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
