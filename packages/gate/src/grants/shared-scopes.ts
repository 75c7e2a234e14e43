/** Kept texts at most; then the table starts again. */
const maxTexts = 1000

const byText = new Map<string, readonly string[]>()

/**
 * Returns the scopes in a space-separated text. Most tokens of a node have one of a few texts, so grants
 * share one list for each text.
 */
export function sharedScopes(text: string): readonly string[] {
  const known = byText.get(text)
  if (known !== undefined) {
    return known
  }
  const scopes = Object.freeze(text.split(' ').filter((scope) => scope !== ''))
  if (byText.size >= maxTexts) {
    byText.clear()
  }
  byText.set(text, scopes)
  return scopes
}
