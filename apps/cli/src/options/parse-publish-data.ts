/** Returns `text` parsed as JSON, or unchanged when it is not JSON. */
export function parsePublishData(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
