// `node infra/lint/lint.js`: the checks of this project that no linter has. Exits with 1 if a file of the
// checkout breaks one.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findLargeFolders, maxFiles } from './folder-size.js'
import { findBannedWords } from './plain-words.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The list of the words itself, its test, and the licence, which is not ours to word. */
const notOurWords = /^(?:infra\/lint\/|LICENSE|test\/fuzz\/corpus\/)/

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)))

const problems = [...wordProblems(), ...folderProblems()]
for (const problem of problems) {
  process.stderr.write(`${problem}\n`)
}
if (problems.length > 0) {
  process.stderr.write(`\n${problems.length} problems\n`)
  process.exitCode = 1
}

/** @returns {string[]} */
function wordProblems() {
  return files
    .filter((file) => /\.(?:ts|js|cjs|lua|md)$/.test(file) && !notOurWords.test(file))
    .flatMap((file) =>
      findBannedWords(readFileSync(join(root, file), 'utf8')).map(
        ({ line, phrase, advice }) => `${file}:${line}: "${phrase}": ${advice}`,
      ),
    )
}

/** @returns {string[]} */
function folderProblems() {
  return findLargeFolders(files).map(
    ({ folder, files }) =>
      `${folder} holds ${files} source files, and may hold ${maxFiles}: move those of one noun into a folder of their own`,
  )
}
