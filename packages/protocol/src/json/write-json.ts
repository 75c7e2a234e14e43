import { JsonText } from './json-text.js'

/** Returns the JSON of plain objects and arrays, with the text of each JsonText in its place. */
export function writeJson(value: unknown): string {
  if (value instanceof JsonText) {
    return value.text
  }
  if (Array.isArray(value)) {
    return `[${value.map(writeJson).join()}]`
  }
  if (typeof value !== 'object' || value === null) {
    return JSON.stringify(value) ?? 'null'
  }
  const members: string[] = []
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) {
      members.push(`${JSON.stringify(key)}:${writeJson(member)}`)
    }
  }
  return `{${members.join()}}`
}
