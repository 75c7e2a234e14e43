import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { Test } from 'tap'
import { currentTest } from './current-test.js'
import type { HostReply, HostRequest } from './messages.js'
import { tapFailures } from './tap-failures.js'

// A process that runs test files of one workspace, one after the other. So modules load once for many
// files. Each file has a test of its own, as if it had the process for itself.

/** How long a file may take until what it has closed is closed, in milliseconds. */
const settleMs = 200

/** Names of resources that end by themselves. */
const passing = /^(?:CloseReq|FSReq|Immediate|TickObject)/

interface Snapshot {
  environment: NodeJS.ProcessEnv
  folder: string
  /** What keeps the process alive, sorted: `TCPServerWrap`, `Timeout`. */
  resources: readonly string[]
}

function snapshot(): Snapshot {
  return {
    environment: { ...process.env },
    folder: process.cwd(),
    resources: process
      .getActiveResourcesInfo()
      .filter((name) => !passing.test(name))
      .sort(),
  }
}

/** Resolves to true if the process equals its snapshot, after a moment for sockets to close. */
async function isAsBefore(before: Snapshot): Promise<boolean> {
  const deadline = performance.now() + settleMs
  while (!isDeepStrictEqual(snapshot(), before)) {
    if (performance.now() > deadline) {
      return false
    }
    await delay(5)
  }
  return true
}

async function run({ file, program, timeoutMs }: HostRequest): Promise<HostReply> {
  const before = snapshot()
  let tap = ''
  const comments: string[] = []
  const test = new Test({
    name: file,
    timeout: timeoutMs,
    buffered: false,
    bail: process.env['TAP_BAIL'] === '1',
    cb: async (t) => {
      t.testdirName = resolve('.tap', 'fixtures', file.replace(/\W+/g, '-'))
      Reflect.set(globalThis, Symbol.for(currentTest), t)
      await import(pathToFileURL(program).href)
    },
  })
  test.on('data', (chunk) => {
    tap += chunk
  })
  await new Promise<void>((done) => test.main(done))
  for (const [, comment = ''] of tap.matchAll(/^ *# (?!Subtest: |time=|\{ total)(.+)$/gm)) {
    comments.push(comment)
  }
  const skipped = [...tap.matchAll(/^ *ok \d+.* # SKIP (.+)$/gm)].map(([, reason = '']) => reason)
  const { total, pass, fail } = test.assertTotals
  const failures = tapFailures(tap)
  // A file may fail for another reason than an assertion: no test, or an error outside of tests.
  if (fail === 0 && (total === 0 || !test.passing())) {
    failures.push({ path: [total === 0 ? 'has no assertion' : 'failed'], details: tap.split('\n') })
  }
  return {
    passed: pass,
    failed: Math.max(fail, failures.length > 0 ? 1 : 0),
    failures: failures.map(({ path, details }) => ({ path: [file, ...path], details })),
    comments,
    skipped: [...new Set(skipped)],
    reusable: await isAsBefore(before),
  }
}

process.on('message', (request: HostRequest | 'end') => {
  if (request === 'end') {
    // The process ends when nothing is left open.
    process.disconnect()
    return
  }
  void run(request).then((reply) => process.send?.(reply))
})
