/** Data to publish, and what is odd about it. */
export interface PublishData {
  /** JSON: the given text itself if it is JSON, else the text as a JSON string. */
  json: string
  /** Set when the text begins like JSON but is not valid JSON. */
  warning?: string
}

/** @param asText - publishes the text as a string, also if it is JSON */
export function parsePublishData(text: string, asText = false): PublishData {
  if (asText) {
    return { json: JSON.stringify(text) }
  }
  try {
    JSON.parse(text)
    // The parsed value, serialised again, would lose digits of large numbers and repeated names.
    return { json: text.trim() }
  } catch {
    const json = JSON.stringify(text)
    if (!/^\s*[{["]/.test(text)) {
      return { json }
    }
    const warning =
      'the data begins like JSON but is not valid JSON, so it is sent as a string; JSON needs ' +
      'double quotes around every name and text, as in {"id": 1}'
    return { json, warning }
  }
}
