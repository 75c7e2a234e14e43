/**
 * The words that this project does without: they stand in for a noun, or turn a sentence around, so that a
 * reader reads it twice. Each with what to do instead. CONTRIBUTING.md has the rules.
 * @type {readonly { pattern: RegExp, advice: string }[]}
 */
const banned = [
  {
    pattern: /\b(?:nobody|somebody|someone|everybody|everyone)\b/i,
    advice: 'name who: a client, a caller, a node',
  },
  {
    pattern: /\bnone of\b|\b(?:is|are|was|were) none\b/i,
    advice: 'say "no …" or "not …" with the noun',
  },
  {
    pattern: /\bas (?:it|they) (?:is|are|was|were)\b/i,
    advice: 'say "unchanged", or leave it out',
  },
  { pattern: /\bso much\b/i, advice: 'name the amount' },
  { pattern: /\bwhat there is\b/i, advice: 'name what there is' },
  { pattern: /\b(?:stands?|stood) on\b/i, advice: 'say "uses" or "is above"' },
  { pattern: /\bfrom here on\b/i, advice: 'say "now", or name the moment' },
  { pattern: /\bwho (?:has|have) to\b/i, advice: 'name the caller' },
  { pattern: /\bat that(?=[.,;:)]|$)/i, advice: 'leave it out' },
  {
    pattern: /(?:^\s*(?:\/\*\*?|\*|\/\/|---?)\s*|[.:] )(?:Gives|Whether)\b|\b[Ss]ays whether\b/,
    advice: 'begin with a verb such as "Returns", "Sends" or "Throws … when …"',
  },
]

/**
 * Returns what is wrong with the text of a file, one finding for each line and phrase. The check looks at
 * whole lines: what it bans does not occur in code.
 * @param {string} text
 * @returns {{ line: number, phrase: string, advice: string }[]}
 */
export function findBannedWords(text) {
  return text.split('\n').flatMap((line, index) =>
    banned.flatMap(({ pattern, advice }) => {
      const phrase = pattern.exec(line)?.[0].trim()
      return phrase === undefined ? [] : [{ line: index + 1, phrase, advice }]
    }),
  )
}
