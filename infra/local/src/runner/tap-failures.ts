import type { Failure } from './counts.js'

/** How many lines of a failure's details are shown; a diff may be long. */
const maxDetails = 40

/** Returns the failed assertions in the TAP of a test run, the innermost ones. */
export function tapFailures(tap: string): Failure[] {
  const failures: Failure[] = []
  /** Open subtests, by depth; and, by depth, whether something inside has failed. */
  const subtests: string[] = []
  const failedInside: boolean[] = []
  let diagnostic: { end: string; failure: string[] | undefined } | undefined
  let latest: string[] | undefined
  for (const line of tap.split('\n')) {
    if (diagnostic !== undefined) {
      if (line === diagnostic.end) {
        diagnostic = undefined
      } else if ((diagnostic.failure?.length ?? maxDetails) < maxDetails) {
        diagnostic.failure?.push(line.slice(diagnostic.end.length - 3))
      }
      continue
    }
    const indent = line.length - line.trimStart().length
    const text = line.slice(indent)
    const depth = indent / 4
    if (text === '---') {
      diagnostic = { end: `${' '.repeat(indent)}...`, failure: latest }
    } else if (text.startsWith('# Subtest: ')) {
      subtests[depth] = text.slice('# Subtest: '.length)
      failedInside[depth] = false
    } else if (/^(not )?ok \d+/.test(text)) {
      latest = undefined
      // A failed assertion inside a subtest is reported there; a to-do is no failure.
      if (text.startsWith('not ') && !/ # (TODO|SKIP)/i.test(text)) {
        if (!failedInside[depth]) {
          const own = text.replace(/^not ok \d+( - )?/, '').replace(/ # time=.*$/, '')
          const outer = subtests.slice(0, depth)
          latest = []
          failures.push({ path: [...outer, own], details: latest })
        }
        for (let outer = 0; outer < depth; outer += 1) {
          failedInside[outer] = true
        }
      }
      failedInside[depth] = false
    }
  }
  return failures
}
