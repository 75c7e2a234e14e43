import stringWidth from 'string-width'

const plainText = /^[ -~]*$/
const graphemes = new Intl.Segmenter()

/** Returns the columns that a text takes on a terminal: 2 for CJK and emoji, 0 for colour changes. */
export function textWidth(text: string): number {
  return plainText.test(text) ? text.length : stringWidth(text)
}

/** Returns the text padded with spaces to `width` columns. */
export function padEnd(text: string, width: number): string {
  return `${text}${' '.repeat(Math.max(0, width - textWidth(text)))}`
}

/** Returns the longest start of a text without colours that takes at most `width` columns. */
export function cutText(text: string, width: number): string {
  if (plainText.test(text)) {
    return text.slice(0, Math.max(0, width))
  }
  let shown = ''
  let room = width
  for (const { segment } of graphemes.segment(text)) {
    room -= textWidth(segment)
    if (room < 0) {
      break
    }
    shown += segment
  }
  return shown
}

/** Wraps text between words; a longer word, such as a path to copy, stays whole. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && textWidth(last) + 1 + textWidth(word) <= width) {
      lines[lines.length - 1] = `${last} ${word}`
    } else if (word !== '') {
      lines.push(word)
    }
  }
  return lines
}
