import { readFileSync } from 'node:fs'
import t from 'tap'
import { disconnectCodes, isTerminal } from '../../src/codes/disconnect-codes.js'
import { replyErrors } from '../../src/codes/reply-errors.js'
import { unsubscribeCodes } from '../../src/codes/unsubscribe-codes.js'

const document = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')
const rows = new Set(document.split('\n').map((line) => line.replaceAll(/ +/g, ' ')))
const listed = (start: string) => [...rows].some((row) => row.startsWith(start))

const all = [
  ...Object.values(replyErrors).map(({ code, message }) => [code, message]),
  ...Object.values(disconnectCodes).map(({ code, reason }) => [code, reason]),
  ...Object.values(unsubscribeCodes).map(({ code, reason }) => [code, reason]),
]

t.test('PROTOCOL.md lists every code with its text', async (t) => {
  for (const [code, words] of all) {
    t.ok(listed(`| ${code} | ${words} |`), `${code} ${words} is in PROTOCOL.md`)
  }
})

t.test('PROTOCOL.md lists no other code', async (t) => {
  const known = new Set(all.map(([code, words]) => `${code} ${words}`))
  const inTables = [...rows].flatMap((row) => {
    const [, code, words] = /^\| (\d{3,4}) \| ([^|]+) \|/.exec(row) ?? []
    return code === undefined ? [] : [`${code} ${words}`]
  })
  t.equal(inTables.length, known.size)
  for (const listed of inTables) {
    t.ok(known.has(listed), `${listed} is one of ours`)
  }
})

t.test('terminal codes are 3500 to 3999 and 4500 to 4999', async (t) => {
  for (const { code } of Object.values(disconnectCodes)) {
    const expected = (code >= 3500 && code < 4000) || code >= 4500
    t.equal(isTerminal(code), expected, String(code))
  }
  t.equal(isTerminal(1006), false)
  t.equal(isTerminal(5000), false)
})

t.test('every reason fits into a close frame', async (t) => {
  for (const { code, reason } of Object.values(disconnectCodes)) {
    t.ok(Buffer.byteLength(reason) <= 123, String(code))
  }
})
