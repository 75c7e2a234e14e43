import { findMember, type Span, spanOf } from './find-member.js'

/** Arrays and objects that may be nested in each other. Decoders of common languages read as many. */
export const maxJsonDepth = 512

const breaks = /[\r\n]/g

/**
 * One JSON value as the text that its sender wrote. It is passed on as this text: numbers keep their
 * digits, objects their repeated keys and their order. It is on one line, because a line ends a message
 * of the JSON form: line breaks, which JSON allows between tokens alone, are spaces.
 */
export class JsonText {
  readonly text: string

  private constructor(text: string) {
    this.text = text
  }

  /** Returns the JSON of a value, as JSON.stringify writes it; `null` for undefined. */
  static of(value: unknown): JsonText {
    return new JsonText(JSON.stringify(value) ?? 'null')
  }

  /** Returns undefined for a text that is no JSON, or is nested deeper than `maxJsonDepth`. */
  static read(text: string): JsonText | undefined {
    try {
      JSON.parse(text)
    } catch {
      return undefined
    }
    return JsonText.at(text, spanOf(text))
  }

  /**
   * Returns the value of a member (see `findMember`). Returns undefined for an object without it, and
   * for a value that is nested deeper than `maxJsonDepth`.
   *
   * @param json - text that JSON.parse accepts
   */
  static member(json: string, path: readonly string[], start?: number): JsonText | undefined {
    const span = findMember(json, path, start)
    return span && JsonText.at(json, span)
  }

  private static at(json: string, { start, end, depth }: Span): JsonText | undefined {
    return depth > maxJsonDepth
      ? undefined
      : new JsonText(json.slice(start, end).replace(breaks, ' '))
  }

  /** Throws: JSON.stringify would write an object with `text`. Use `writeJson`. */
  toJSON(): never {
    throw new TypeError('a JsonText must be written with writeJson')
  }
}
