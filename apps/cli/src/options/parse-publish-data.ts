/** What a person means to publish: JSON, or else text as it is. */
export function parsePublishData(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
